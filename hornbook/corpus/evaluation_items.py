"""The items of evaluation sets, as texts to look for: JSONL, JSON, CSV, Parquet (also packed), or a text a file.

An item has passages: every text of the columns that are chosen, at any depth of lists and objects. A passage is looked
for by itself, since a page that leaked shows questions and choices in an order and with letters of its own.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.core.errors import UserError
from hornbook.corpus.packed import open_packed
from hornbook.corpus.read import kind_of
from hornbook.corpus.sources import File, files

FIELD_CHARACTERS = 1 << 24  # of a CSV cell


@dataclass(frozen=True, slots=True)
class Item:
    """One question, problem or passage of an evaluation set."""

    file: str
    row: int
    """From 0, the header of a CSV file not counted; blank lines are no rows."""
    passages: tuple[str, ...]


def items(sources: Sequence[str], columns: Sequence[str] = ()) -> Iterator[Item]:
    """Every item of some files or folders; no columns: all their texts. Raises UserError where one cannot be read."""
    for file in files(sources, _refuse):
        try:
            for number, row in enumerate(_rows(file, columns)):
                yield Item(file.id, number, tuple(_chosen(row, columns, f"{file.path}:{number}")))
        except (OSError, EOFError, ValueError, csv.Error, pa.ArrowException) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(
                f"{file.path}: not an evaluation set that can be read ({error}); mend or leave out"
            ) from None


def _refuse(place: str, why: str) -> None:
    raise UserError(f"{place}: {why}")


def _rows(file: File, columns: Sequence[str]) -> Iterator[Any]:
    kind = kind_of(file.path)
    if kind == ".parquet":
        yield from pq.read_table(file.path).to_pylist()
        return
    with open_packed(file.path) as stream:
        if kind in (".jsonl", ".ndjson"):
            yield from (json.loads(line) for line in stream if line.strip())
        elif kind == ".json":
            data = json.load(stream)
            yield from data if isinstance(data, list) else [data]
        elif kind in (".csv", ".tsv"):
            with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as lines:
                yield from _table(lines, kind, columns)
        else:
            yield stream.read().decode("utf-8-sig")


def _table(stream: io.TextIOWrapper, kind: str, columns: Sequence[str]) -> Iterator[Any]:
    """Rows of a table; where columns are chosen by name its first row has the names, else all rows are items."""
    csv.field_size_limit(FIELD_CHARACTERS)
    rows = csv.reader(stream, delimiter="\t" if kind == ".tsv" else ",")
    if columns and not all(column.isdigit() for column in columns):
        names = next(rows, [])
        yield from (dict(zip(names, row, strict=False)) for row in rows)
    else:
        yield from ({str(number): cell for number, cell in enumerate(row)} for row in rows)


def _chosen(row: Any, columns: Sequence[str], place: str) -> Iterator[str]:
    if not columns or isinstance(row, str):
        yield from texts(row)
        return
    names = list(row) if isinstance(row, dict) else []
    for column in columns:
        if column not in names:
            known = ", ".join(names) or "(none)"
            raise UserError(f"{place}: no column {column!r}; set columns to some of {known}")
        yield from texts(row[column])


def texts(value: Any) -> Iterator[str]:
    """Every text in a value.

    >>> list(texts({"question": "Who?", "choices": {"label": ["A"], "text": ["Ann"]}, "id": 7}))
    ['Who?', 'A', 'Ann']
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)
