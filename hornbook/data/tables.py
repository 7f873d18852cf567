"""Tables of rows: CSV as spreadsheets write it, TSV line by line, Parquet batch by batch.

CSV follows RFC 4180: cells may be quoted and hold separators and line ends; the separator is the commonest of comma,
semicolon and tab in the first line. TSV is one row a line. The first row names the columns unless a header is given.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.core.errors import UserError

Numbered = Iterator[tuple[int, dict[str, Any]]]

SEPARATORS = ",;\t"
FIELD_BYTES = 64_000_000  # a longer cell is a quotation mark that nobody closed
NAME_LONGEST = 64  # characters: a longer name of a column is a text, so the first row is no header
UNDECODED = re.compile("[\udc80-\udcff]")


def csv_rows(stream: BinaryIO, file: Path, header: Sequence[str] | None) -> Numbered:
    """Records of a CSV file, numbered by the line in which each begins; cells may be quoted and hold line ends."""
    csv.field_size_limit(FIELD_BYTES)
    lines = _decoded(stream)
    first = next(lines, "")
    separator = max(SEPARATORS, key=first.count)
    table = csv.reader(itertools.chain([first], lines), delimiter=separator, strict=True)
    names, start = None if header is None else list(header), 1
    try:
        for cells in table:
            if cells and names is None:
                names = _names(cells, file)
            elif cells and names:
                yield start, _cells(names, cells, f"{file}:{start}", "fix the row, or quote the cell")
            start = table.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{file}:{start}: the record that begins here cannot be read ({error}); see to its quotation marks"
        ) from None


def _decoded(stream: BinaryIO) -> Iterator[str]:
    """The lines of a file, without a byte order mark; what is not UTF-8 as lone surrogates."""
    for number, line in enumerate(stream):
        yield line.decode("utf-8" if number else "utf-8-sig", "surrogateescape")


def tsv_rows(stream: BinaryIO, file: Path, header: Sequence[str] | None) -> Numbered:
    """One row a line, cells between tabs; a quotation mark inside a cell is only that."""
    names = None if header is None else list(header)
    for number, line in enumerate(_decoded(stream), 1):
        cells = [_unquoted(cell) for cell in line.rstrip("\r\n").split("\t")]
        if cells == [""]:
            continue
        if names is None:
            names = _names(cells, file)
        else:
            fix = "fix the row; where a cell goes over several lines, save the table as CSV"
            yield number, _cells(names, cells, f"{file}:{number}", fix)


def _unquoted(cell: str) -> str:
    """A cell that a spreadsheet put in quotation marks, without them: as it is where they belong to the text."""
    inside = cell[1:-1]
    quoted = len(cell) >= 2 and cell[0] == cell[-1] == '"' and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if quoted else cell


def _names(cells: list[str], file: Path) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not names[0] and "index" not in names:  # as pandas writes its row numbers
        names[0] = "index"
    bad = [name for name in names if not name or names.count(name) > 1 or len(name) > NAME_LONGEST]
    if bad:
        raise UserError(
            f"{file}:1: the first row should name the columns, and {bad[0][:NAME_LONGEST]!r} is empty, there twice or "
            "too long for a name; add a row of names, or give `header: [label, text]`"
        )
    return names


def _cells(names: list[str], cells: list[str], place: str, fix: str) -> dict[str, Any]:
    if len(cells) != len(names):
        counted = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
        raise UserError(f"{place}: {counted} for the {len(names)} columns {', '.join(names)}; {fix}")
    if any(UNDECODED.search(cell) for cell in cells):
        raise UserError(f"{place}: not UTF-8 text; save the file as UTF-8")
    return dict(zip(names, cells, strict=True))


def parquet(stream: BinaryIO, file: Path) -> Numbered:
    """The rows of a Parquet file, from 1."""
    number = 0
    try:
        with pq.ParquetFile(io.BytesIO(stream.read()) if file.suffix.lower() == ".gz" else stream) as table:
            for batch in table.iter_batches(batch_size=1_024):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise UserError(f"{file}: damaged Parquet file ({str(error).splitlines()[0]}); replace it") from None
