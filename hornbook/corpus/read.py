"""From files to documents: text and source code, JSONL, JSON and Parquet, also packed as .gz or .zst.

What cannot be read is counted with its place and skipped; only where the recipe names a single file is it an error at
once. HTML, WARC, PDF and CSV are not read here.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from hornbook.core.errors import UserError
from hornbook.corpus import plain, tables
from hornbook.corpus.document import Document
from hornbook.corpus.ledger import BadFile, Ledger, NoText
from hornbook.corpus.sources import File

PACKED = (".gz", ".zst")


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
        if kind == ".parquet":
            yield from tables.parquet(file, column, ledger)
            return
        if kind not in (".jsonl", ".ndjson", ".json"):
            yield from plain.pieces(lambda: open_packed(file.path), file, ledger)
            return
        with open_packed(file.path) as stream:
            rows = tables.whole if kind == ".json" else tables.lines
            yield from rows(stream, file, column, ledger)
    except PermissionError:
        raise BadFile(str(file.path), "no permission to read it; change its mode or owner") from None
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(str(file.path), f"damaged or unreadable ({error}); replace or delete it") from None


def kind_of(path: Path) -> str:
    """The ending that decides how a file is read: `.jsonl` for `a.jsonl.gz`.

    >>> kind_of(Path("web.JSONL.zst")), kind_of(Path("notes.txt"))
    ('.jsonl', '.txt')
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def open_packed(path: Path) -> BinaryIO:
    """A file's bytes, unpacked as they are read."""
    match path.suffix.lower():
        case ".gz":
            return io.BufferedReader(gzip.open(path))
        case ".zst":
            return io.BufferedReader(pa.input_stream(str(path), compression="zstd"), 1 << 16)
        case _:
            return path.open("rb")
