"""From files to documents: text and source code, JSONL, JSON, CSV, Parquet, pages and web archives, also packed.

What cannot be read is counted with its place and skipped; only where the recipe names a single file is a file that
cannot be read an error at once. PDF and office documents are not read here.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.corpus import csv_rows, html, plain, tables, warc
from hornbook.corpus.document import Document
from hornbook.corpus.ledger import BadFile, Ledger, NoText
from hornbook.corpus.packed import PACKED, open_packed
from hornbook.corpus.sources import File

LINES = (".jsonl", ".ndjson")


def documents(file: File, column: str, ledger: Ledger, *, strict: bool) -> Iterator[Document]:
    """The documents of one file; a bad one goes to the ledger, or with `strict` raises UserError."""
    try:
        yield from _read(file, column, ledger)
    except NoText as error:
        if strict:
            raise UserError(str(error)) from None
        ledger.skip(error.why)
    except BadFile as error:
        if strict:
            raise UserError(str(error)) from None
        ledger.fault(error.place, error.why)


def _read(file: File, column: str, ledger: Ledger) -> Iterator[Document]:
    kind = kind_of(file.path)
    try:
        if kind in warc.ENDINGS:
            yield from warc.documents(file, kind, ledger)
        elif kind == ".parquet":
            yield from tables.parquet(file, column, ledger)
        elif kind in (*LINES, ".json", *csv_rows.ENDINGS, *html.ENDINGS):
            yield from _stream(file, kind, column, ledger)
        else:
            yield from plain.pieces(lambda: open_packed(file.path), file, ledger)
    except PermissionError:
        raise BadFile(str(file.path), "no permission to read it; change its mode or owner") from None
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(str(file.path), f"damaged or unreadable ({error}); replace or delete it") from None


def _stream(file: File, kind: str, column: str, ledger: Ledger) -> Iterator[Document]:
    """Of a file that is read once, from its first byte on."""

    def damaged(offset: int, why: str) -> None:
        ledger.fault(f"{file.path}:{offset}", f"packed data damaged from this byte on ({why})")

    with open_packed(file.path, damaged if kind in LINES else None) as stream:
        if kind in html.ENDINGS:
            yield html.whole(stream, file)
        elif kind in csv_rows.ENDINGS:
            yield from csv_rows.rows(stream, file, column, ledger)
        else:
            rows = tables.lines if kind in LINES else tables.whole
            yield from rows(stream, file, column, ledger)


def kind_of(path: Path) -> str:
    """The ending that decides how a file is read: `.jsonl` for `a.jsonl.gz`.

    >>> kind_of(Path("web.JSONL.zst")), kind_of(Path("notes.txt"))
    ('.jsonl', '.txt')
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
