"""CSV and TSV: a document a row, the text in the column that the first row names.

Read row by row with Python's csv module; cells may be quoted and hold line ends. What separates cells is the commonest
of comma, semicolon and tab in the first line. A row that is not text in the file's encoding, or has too few cells, is
counted and skipped.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from hornbook.corpus.document import Document
from hornbook.corpus.ledger import BadFile, Ledger, NoText
from hornbook.corpus.plain import BOMS, PEEK, is_chinese
from hornbook.corpus.sources import File
from hornbook.corpus.tables import LINE_BYTES, no_column, said

ENDINGS = (".csv", ".tsv")
SEPARATORS = ",;\t"
UNDECODED = re.compile("[\udc80-\udcff]")


def rows(stream: BinaryIO, file: File, column: str, ledger: Ledger) -> Iterator[Document]:
    """One document a row; BadFile where the text column is missing, or from where on nothing can be read."""
    encoding = _encoding(stream.peek(PEEK)[:PEEK])  # type: ignore[attr-defined]  # every opener gives a BufferedReader
    if encoding != "utf-8-sig":
        ledger.note(str(file.path), f"read as {encoding.upper()}")
    csv.field_size_limit(LINE_BYTES)
    source = _lines(stream, file, encoding)
    first = next(source, "")
    if not first.strip():
        raise NoText(str(file.path), "empty file")
    separator = "\t" if ".tsv" in file.path.name.lower() else max(SEPARATORS, key=first.count)
    table = csv.reader(itertools.chain([first], source), delimiter=separator)
    names: list[str] = []
    try:
        names = [name.strip() for name in next(table)]
        if column not in names:
            raise BadFile(f"{file.path}:1", no_column(column, names))
        for cells in table:
            place = f"{file.path}:{table.line_num}"
            if len(cells) <= names.index(column):
                if cells:
                    ledger.fault(place, f"{len(cells)} cells, none for {column}; fix or delete the row")
            elif UNDECODED.search(cells[names.index(column)]):
                ledger.fault(place, f"not text in {encoding.removesuffix('-sig').upper()}; fix or delete the row")
            else:
                row = dict(zip(names, cells, strict=False))
                yield Document(f"{file.id}:{table.line_num}", row[column], file.source, *said(row))
    except csv.Error as error:
        raise BadFile(f"{file.path}:{table.line_num}", f"cannot be read from here on ({error}); fix the row") from None


def _encoding(head: bytes) -> str:
    """By its first bytes: what a text file may be in (plain.py); of what is damaged the rows will be counted."""
    if bom := BOMS.get(head[:2]):
        return bom
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if len(head) - error.start >= 4:  # not a character that was cut
            guess = head.decode("gb18030", "ignore")
            return "gb18030" if is_chinese("".join(sign for sign in guess if ord(sign) > 127)) else "utf-8-sig"
    return "utf-8-sig"


def _lines(stream: BinaryIO, file: File, encoding: str) -> Iterator[str]:
    """Lines, what is damaged in them as lone surrogates; BadFile at one that is too long to be held."""
    if encoding == "utf-16":  # its line ends are no bytes of their own
        text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
        yield from iter(lambda: text.readline(LINE_BYTES), "")
        text.detach()
        return
    number = 0
    while line := stream.readline(LINE_BYTES):
        number += 1
        if len(line) == LINE_BYTES:
            raise BadFile(f"{file.path}:{number}", f"a line of over {LINE_BYTES} bytes; split the text into rows")
        yield line.decode(encoding if number == 1 else encoding.removesuffix("-sig"), "surrogateescape")
