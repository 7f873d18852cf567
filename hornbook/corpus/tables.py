"""Rows to documents: JSONL line by line, Parquet batch by batch, JSON lists whole.

A JSON list needs no text column: collections of poems and classics keep a text as a title and a list of paragraphs,
and the document is then the object's strings, one a line, followed by its lists of strings.
"""

import json
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.corpus.document import Document
from hornbook.corpus.iso639 import two_letters
from hornbook.corpus.ledger import BadFile, Ledger, NoText
from hornbook.corpus.sources import File

LINE_BYTES = 64_000_000  # a longer line is damage, or a file that is not JSONL
JSON_BYTES = 256_000_000  # a JSON list has to be read whole, so it may not be large
ROWS = 1_024
COLUMNS_SHOWN = 12
NOT_TEXT = frozenset({"id", "uuid", "url", "link", "date"})  # strings that name a text and are no part of it
URL, LANGUAGES = "url", ("language", "lang")  # columns that say where a text is from, and in what language it is


def lines(stream: BinaryIO, file: File, column: str, ledger: Ledger) -> Iterator[Document]:
    """One document a line; a line that is not an object with the text column is counted and skipped."""
    seen = False
    for number, line in _lines(stream, file):
        place = f"{file.path}:{number}"
        if line is None:
            ledger.fault(place, f"a line of over {LINE_BYTES} bytes; split the text into lines")
            continue
        if not line.strip():
            continue
        try:
            row = _object(line)
        except ValueError as error:
            ledger.fault(place, str(error))
            continue
        if column not in row:
            why = no_column(column, list(row))
            if not seen:  # the first row: surely the column's name is wrong, not one line
                raise BadFile(place, why)
            ledger.fault(place, why)
        elif not isinstance(row[column], str):
            ledger.fault(place, f"{column} is {_kind(row[column])}, not text; fix or delete the line")
        else:
            yield Document(f"{file.id}:{number}", row[column], file.source, *said(row))
        seen = True
    if not seen and not ledger.bad:
        raise NoText(str(file.path), "empty file")


def _lines(stream: BinaryIO, file: File) -> Iterator[tuple[int, bytes | None]]:
    """The lines with their numbers; None in place of one that is too long to be held."""
    number = 0
    while True:
        number += 1
        try:
            line = part = stream.readline(LINE_BYTES)
            while len(part) == LINE_BYTES and not part.endswith(b"\n"):
                part = stream.readline(LINE_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise BadFile(f"{file.path}:{number}", f"damaged from this line on ({error}); replace the file") from None
        if not line:
            return
        yield number, line if part is line else None


def said(row: dict[str, Any]) -> tuple[str | None, str | None]:
    """What a row says of its text beside it: the address and the language.

    >>> said({"text": "Hola", "url": "https://a.es", "lang": "spa"})
    ('https://a.es', 'es')
    """
    url = row.get(URL)
    languages = [row[name] for name in LANGUAGES if isinstance(row.get(name), str)]
    return url if isinstance(url, str) and url else None, two_letters(languages[0]) if languages else None


def _object(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON object ({_complaint(error)}); fix or delete the line") from None
    if not isinstance(row, dict):
        raise ValueError(f"{_kind(row)}, not a JSON object; fix or delete the line")
    return row


def parquet(file: File, column: str, ledger: Ledger) -> Iterator[Document]:
    """One document a row."""
    try:
        with pq.ParquetFile(file.path) as table:
            if column not in table.schema_arrow.names:
                raise BadFile(str(file.path), no_column(column, table.schema_arrow.names))
            kind = table.schema_arrow.field(column).type
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                raise BadFile(str(file.path), f"column {column!r} holds {kind}, not text; set corpus.column")
            yield from _rows(table, file, column, ledger)
            if not table.metadata.num_rows:
                raise NoText(str(file.path), "empty file")
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadFile(str(file.path), f"damaged Parquet file ({str(error).splitlines()[0]}); replace it") from None


def _rows(table: pq.ParquetFile, file: File, column: str, ledger: Ledger) -> Iterator[Document]:
    number = 0
    wanted = [column, *(name for name in (URL, *LANGUAGES) if name in table.schema_arrow.names and name != column)]
    for batch in table.iter_batches(batch_size=ROWS, columns=wanted):
        for row in batch.to_pylist():
            if row[column] is None:
                ledger.fault(f"{file.path}:{number}", f"{column} is null in this row")
            else:
                yield Document(f"{file.id}:{number}", row[column], file.source, *said(row))
            number += 1


def whole(stream: BinaryIO, file: File, column: str, ledger: Ledger) -> Iterator[Document]:
    """The items of a JSON list (or one object): their text column, or where there is none their strings and lists."""
    content = stream.read(JSON_BYTES + 1)
    if len(content) > JSON_BYTES:
        raise BadFile(str(file.path), f"a JSON file of over {JSON_BYTES} bytes; write it as JSONL, one object a line")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadFile(f"{file.path}{line}", f"not JSON ({_complaint(error)}); fix the file") from None
    items = data if isinstance(data, list) else [data]
    for number, item in enumerate(items):
        text = compose(item, column)
        if text is None:
            keys = no_column(column, list(item)) if isinstance(item, dict) else f"{_kind(item)}, not an object or text"
            ledger.fault(f"{file.path}[{number}]", keys)
        else:
            yield Document(f"{file.id}:{number}", text, file.source, *(said(item) if isinstance(item, dict) else ()))


def compose(item: Any, column: str) -> str | None:
    """The text of a JSON item, or None.

    >>> compose({"id": "7", "paragraphs": ["床前明月光", "疑是地上霜"], "title": "靜夜思"}, "text")
    '靜夜思\\n床前明月光\\n疑是地上霜'
    """
    if isinstance(item, str):
        return item
    if not isinstance(item, dict):
        return None
    if isinstance(item.get(column), str):
        return str(item[column])
    strings = [value for key, value in item.items() if isinstance(value, str) and key.lower() not in NOT_TEXT]
    lists = [value for value in item.values() if isinstance(value, list) and value]
    paragraphs = [line for value in lists if all(isinstance(part, str) for part in value) for line in value]
    return "\n".join(part for part in [*strings, *paragraphs] if part) if paragraphs else None


def _complaint(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, column {error.colno}"
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "nested too deep"


def no_column(column: str, names: list[str]) -> str:
    shown = ", ".join(names[:COLUMNS_SHOWN]) + (", ..." if len(names) > COLUMNS_SHOWN else "")
    return f"no column {column!r}; set corpus.column to one of {shown or '(none)'}"


def _kind(value: Any) -> str:
    names = {str: "text", bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "null")
