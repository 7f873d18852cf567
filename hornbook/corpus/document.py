"""A document, and what a step of the pipeline does to a batch of them.

A step is any callable from a batch to a `Result`, so a filter is a function that says why it drops a text. Nothing
leaves the pipeline without a reason. A step that has to know other documents (duplicates) is an `Across`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

import pyarrow as pa

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
    url: str | None = None
    language: str | None = None
    """ISO 639-1, where somebody has said it."""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a batch: documents kept (in order), dropped and changed ones with the reason."""

    kept: list[Document]
    dropped: list[tuple[Document, str]] = field(default_factory=list)
    changed: list[tuple[Document, str]] = field(default_factory=list)
    """As they were before."""


class Step(Protocol):
    """One step of the pipeline, about each document alone; `name` is its row in the ledger."""

    @property
    def name(self) -> str: ...

    def __call__(self, documents: list[Document]) -> Result:
        """Decide about every document of a batch; the same wherever the batch begins and ends."""
        ...


class Across(ABC):
    """A step that decides about a document by others: first all are looked at, then one decides, then it is done.

    Looking and doing run in many processes at once, one task (engine.py) each; deciding runs in one, sees only what was
    noted, and must not depend on who noted it.
    """

    name: ClassVar[str]

    @abstractmethod
    def scan(self, documents: list[Document]) -> pa.RecordBatch:
        """What has to be known of each document: one row each, small."""

    @abstractmethod
    def decide(self, scans: Sequence[Path], decisions: Sequence[Path]) -> None:
        """From the rows of every task (Arrow files, in order) to a file of as many rows that say what to do."""

    @abstractmethod
    def apply(self, documents: list[Document], decisions: pa.RecordBatch) -> Result:
        """Do to some documents what was decided about them, one row each."""


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
