"""A document, and what a step of the pipeline does to a batch of them.

A step is any callable from a batch to a `Result`, so a filter is a function that says why it drops a text. Nothing
leaves the pipeline without a reason.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

BATCH_CHARACTERS = 4_000_000  # enough to make the Arrow and numpy calls cheap, little enough to keep memory flat
BATCH_DOCUMENTS = 4_096


@dataclass(frozen=True, slots=True)
class Document:
    """One text and where it came from."""

    id: str
    """Path within the source, with `:line` for JSONL and `:row` for Parquet; the same in every run."""
    text: str
    source: str
    """Name of the entry in the recipe that the document was read for."""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a batch: documents kept (in order), dropped and changed ones with the reason."""

    kept: list[Document]
    dropped: list[tuple[Document, str]] = field(default_factory=list)
    changed: list[tuple[Document, str]] = field(default_factory=list)


class Step(Protocol):
    """One step of the pipeline; `name` is its row in the ledger."""

    name: str

    def __call__(self, documents: list[Document]) -> Result:
        """Decide about every document of a batch."""
        ...


def batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Group documents so that a batch's size does not depend on how long they are."""
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += len(document.text)
        if characters >= BATCH_CHARACTERS or len(batch) >= BATCH_DOCUMENTS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def size(text: str) -> int:
    """Bytes of a text in UTF-8.

    >>> size("abc"), size("論語")
    (3, 6)
    """
    return len(text) if text.isascii() else len(text.encode())
