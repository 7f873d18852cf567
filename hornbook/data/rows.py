"""Rows from a user's files: JSONL, JSON lists, CSV, TSV and Parquet, plain or .gz, one file or a folder of them.

A row is a dictionary of its columns and an "id" that a person finds again: "file.jsonl:17" is line 17, "file.json:3"
the third object, "file.csv:8" the record that begins in line 8, "file.parquet:5" the fifth row. What cannot be read is
one UserError with that place, what is wrong and how to mend it. Files are UTF-8; nothing is guessed.
"""

import difflib
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from hornbook.core.errors import UserError
from hornbook.data import tables

Row = dict[str, Any]
Numbered = Iterator[tuple[int, Row]]

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
TABLES = (".csv", ".tsv")
OWN_ID = "own_id"  # where a row's own column `id` stands, since "id" is its place


def read(path: Path | str, *, header: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of a file, or of every file in a folder in the order of their names.

    `header` names the columns of a CSV or TSV file whose first line is a row already; with it, a file of any other
    ending is read as TSV.
    """
    found = files(path, header=header)
    return _read(found, Path(path), header)


def _read(found: list[Path], path: Path, header: Sequence[str] | None) -> Iterator[Row]:
    folder = path if path.is_dir() else path.parent
    none = True
    for file in found:
        name = file.relative_to(folder).as_posix()
        try:
            for number, row in _open(file, header):
                none = False
                own = {OWN_ID: row["id"]} if "id" in row else {}
                yield {"id": f"{name}:{number}", **{key: row[key] for key in row if key != "id"}, **own}
        except PermissionError:
            raise UserError(f"{file}: no permission to read it; change its mode or owner") from None
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{file}: damaged or unreadable ({error}); replace the file") from None
    if none:
        raise UserError(f"{path}: there are no rows in it; give at least one")


def files(path: Path | str, *, header: Sequence[str] | None = None) -> list[Path]:
    """The files that `read` reads; UserError where there is none."""
    path = Path(path)
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and kind_of(p) in ENDINGS)
        found = [p for p in inside if not any(part.startswith(".") for part in p.relative_to(path).parts)]
        if not found:
            raise UserError(f"{path}: no file of rows in this folder; rows are read from {', '.join(ENDINGS)}")
        return found
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*")], cutoff=0.5)
        hint = f"did you mean {path.parent / near[0]}?" if near else "check the path"
        raise UserError(f"{path}: no such file; {hint}")
    kind = kind_of(path)
    if kind not in ENDINGS and header is None:
        raise UserError(
            f"{path}: rows are read from {', '.join(ENDINGS)} (also .gz), not from {kind or 'a file without an ending'}"
            "; rename it, or give `header: [label, text]` for a table without a first row of names, cells set by tabs"
        )
    if header is not None and kind in ENDINGS and kind not in TABLES:
        raise UserError(f"{path}: {kind} rows name their own columns; leave `header` out, it is for .csv and .tsv")
    return [path]


def kind_of(path: Path) -> str:
    """The ending that decides how a file is read.

    >>> kind_of(Path("a.JSONL.gz")), kind_of(Path("SMSSpamCollection"))
    ('.jsonl', '')
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _open(file: Path, header: Sequence[str] | None) -> Numbered:
    with file.open("rb") as stream:
        bytes_ = io.BufferedReader(gzip.GzipFile(fileobj=stream)) if file.suffix.lower() == ".gz" else stream
        match kind_of(file):
            case ".jsonl" | ".ndjson":
                yield from _lines(bytes_, file)
            case ".json":
                yield from _list(bytes_, file)
            case ".csv":
                yield from tables.csv_rows(bytes_, file, header)
            case ".parquet":
                yield from tables.parquet(bytes_, file)
            case _:
                yield from tables.tsv_rows(bytes_, file, header)


def _lines(stream: BinaryIO, file: Path) -> Numbered:
    """One object a line; empty lines are passed over."""
    for number, line in enumerate(stream, 1):
        if not (text := line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip():
            continue
        row = _json(text, f"{file}:{number}", "fix or delete the line")
        if isinstance(row, list) and number == 1:
            raise UserError(f"{file}:1: a list, not one object a line; name the file .json")
        yield number, _object(row, f"{file}:{number}")


def _list(stream: BinaryIO, file: Path) -> Numbered:
    """The objects of a JSON list, from 1."""
    content = stream.read().removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        return
    items = _json(content, str(file), "fix the file")
    if not isinstance(items, list):
        keys = f"an object with the keys {_shown(list(items))}" if isinstance(items, dict) else kind_name(items)
        raise UserError(f"{file}: {keys}, not a list of rows; write [{{...}}, {{...}}]")
    for number, item in enumerate(items, 1):
        yield number, _object(item, f"{file}:{number}")


def _json(text: bytes, place: str, fix: str) -> Any:
    try:
        value = json.loads(text.decode())
        if b"\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        line = f":{error.lineno}" if error.lineno > 1 else ""
        if error.msg == "Extra data" and line:
            fix = "if it holds one object a line, name it .jsonl"
        raise UserError(f"{place}{line}: not JSON ({error.msg}, column {error.colno}); {fix}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{place}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from None
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise UserError(f"{place}: {half} is half of a character and no text; {fix}") from None
    except RecursionError:
        raise UserError(f"{place}: nested too deep; {fix}") from None
    return value


def _object(row: Any, place: str) -> Row:
    if not isinstance(row, dict):
        raise UserError(f'{place}: {kind_name(row)}, not an object like {{"prompt": ...}}; fix or delete it')
    return row


def _shown(names: list[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def kind_name(value: Any) -> str:
    """What a JSON value is, for a sentence.

    >>> kind_name(None), kind_name([1]), kind_name(True)
    ('null', 'a list', 'a truth value')
    """
    names = {str: "a text", bool: "a truth value", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "null")
