"""Rows to documents: JSONL line by line, Parquet batch by batch, JSON lists whole.

A JSON list needs no text column: collections of poems and classics keep a text as a title and a list of paragraphs,
and the document is then the object's strings, one a line, followed by its lists of strings.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.corpus.document import Document
from hornbook.corpus.ledger import BadFile, Ledger
from hornbook.corpus.sources import File

LINE_BYTES = 64_000_000  # a longer line is damage, or a file that is not JSONL
JSON_BYTES = 256_000_000  # a JSON list has to be read whole, so it may not be large
ROWS = 1_024
COLUMNS_SHOWN = 12
NOT_TEXT = frozenset({"id", "uuid", "url", "link", "date"})  # strings that name a text and are no part of it


def lines(stream: BinaryIO, file: File, column: str, ledger: Ledger) -> Iterator[Document]:
    """One document a line; a line that is not an object with the text column is counted and skipped."""
    seen = False
    for number, line in _lines(stream, file):
        if not line.strip():
            continue
        place = f"{file.path}:{number}"
        try:
            row = _object(line)
        except ValueError as error:
            ledger.fault(place, str(error))
            continue
        if column not in row:
            why = _no_column(column, list(row))
            if not seen:  # the first row: surely the column's name is wrong, not one line
                raise BadFile(place, why)
            ledger.fault(place, why)
        elif not isinstance(row[column], str):
            ledger.fault(place, f"{column} is {_kind(row[column])}, not text; fix or delete the line")
        else:
            yield Document(f"{file.id}:{number}", row[column], file.source)
        seen = True


def _lines(stream: BinaryIO, file: File) -> Iterator[tuple[int, bytes]]:
    number = 0
    while True:
        number += 1
        try:
            line = stream.readline(LINE_BYTES)
        except (OSError, EOFError) as error:
            raise BadFile(f"{file.path}:{number}", f"damaged from this line on ({error}); replace the file") from None
        if not line:
            return
        if len(line) == LINE_BYTES and not line.endswith(b"\n"):
            raise BadFile(f"{file.path}:{number}", f"a line of over {LINE_BYTES} bytes; split the text into lines")
        yield number, line


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
                raise BadFile(str(file.path), _no_column(column, table.schema_arrow.names))
            kind = table.schema_arrow.field(column).type
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
                raise BadFile(str(file.path), f"column {column!r} holds {kind}, not text; set corpus.column")
            row = 0
            for batch in table.iter_batches(batch_size=ROWS, columns=[column]):
                for text in batch.column(0).to_pylist():
                    if text is None:
                        ledger.fault(f"{file.path}:{row}", f"{column} is null in this row")
                    else:
                        yield Document(f"{file.id}:{row}", text, file.source)
                    row += 1
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadFile(str(file.path), f"damaged Parquet file ({str(error).splitlines()[0]}); replace it") from None


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
            keys = _no_column(column, list(item)) if isinstance(item, dict) else f"{_kind(item)}, not an object or text"
            ledger.fault(f"{file.path}[{number}]", keys)
        else:
            yield Document(f"{file.id}:{number}", text, file.source)


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


def _no_column(column: str, names: list[str]) -> str:
    shown = ", ".join(names[:COLUMNS_SHOWN]) + (", ..." if len(names) > COLUMNS_SHOWN else "")
    return f"no column {column!r}; set corpus.column to one of {shown or '(none)'}"


def _kind(value: Any) -> str:
    names = {str: "text", bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "null")
