"""Reading one file in a test: its documents and what the ledger says of it."""

import gzip
from pathlib import Path

import pyarrow as pa

from hornbook.corpus import read
from hornbook.corpus.document import Document
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.sources import File


def documents(path: Path, *, column: str = "text", strict: bool = False) -> tuple[list[Document], Ledger]:
    ledger = Ledger()
    file = File(path, path.name, "s")
    return list(read.documents(file, column, ledger, strict=strict)), ledger


def texts(path: Path) -> list[str]:
    found, ledger = documents(path, strict=True)
    assert ledger.bad == 0
    return [document.text for document in found]


def pack(path: Path, content: bytes) -> Path:
    """Write content, packed as the path's ending says."""
    if path.suffix == ".gz":
        content = gzip.compress(content)
    elif path.suffix == ".zst":
        content = pa.Codec("zstd").compress(content, asbytes=True)
    path.write_bytes(content)
    return path


def why(path: Path, **options: str) -> str:
    """The single fault of a file; with strict the same sentence is an error."""
    _, ledger = documents(path, **options)
    assert len(ledger.bad_places) == 1
    place = ledger.bad_places[0]
    return f"{place['place']}: {place['why']}"
