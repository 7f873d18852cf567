"""Exact duplicates: of equal texts the first is kept, wherever the others are.

Eight bytes of hash a document: the chance of a false match among 100 million documents is 3 in 10,000. Many hashes are
compared part by part (scans.py), so memory has a limit: a byte a document besides.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hornbook.corpus import scans as files
from hornbook.corpus.clean import text_hash
from hornbook.corpus.document import Across, Document, Result
from hornbook.corpus.scans import AT_ONCE, Hashes

KEEP = pa.schema([("keep", pa.bool_())])


@dataclass(frozen=True, kw_only=True)
class ExactDuplicates(Across):
    """Drops a text that came before, whole and equal after normalisation."""

    name: ClassVar[str] = "exact duplicates"

    def build(self) -> "ExactDuplicates":
        return self

    def scan(self, documents: list[Document]) -> pa.RecordBatch:
        """The hash of every text."""
        hashes = np.fromiter((text_hash(document.text) for document in documents), np.uint64, len(documents))
        return pa.record_batch({"hash": pa.array(hashes)})

    def decide(self, scans: Sequence[Path], decisions: Sequence[Path]) -> None:
        """The first of equal hashes stays."""
        flags = firsts(
            lambda: (hashes for scan in scans for hashes in files.numbers(scan, "hash")), decisions[0].parent
        )
        for scan, path in zip(scans, decisions, strict=True):
            files.write(path, KEEP, ([next(flags)] for _ in files.columns(scan, "hash")))

    def apply(self, documents: list[Document], decisions: pa.RecordBatch) -> Result:
        """Drop the others."""
        result = Result([])
        for document, keep in zip(documents, decisions.column("keep").to_pylist(), strict=True):
            if keep:
                result.kept.append(document)
            else:
                result.dropped.append((document, "exact duplicate"))
        return result


def firsts(
    read: Callable[[], Iterator[Hashes]], folder: Path, *, at_once: int = AT_ONCE
) -> Iterator[NDArray[np.bool_]]:
    """For each array of hashes that `read()` yields: whether each is the first of its kind in all of them.

    >>> tasks = [np.array([7, 9, 7], np.uint64), np.array([9, 1], np.uint64)]
    >>> [flags.tolist() for flags in firsts(lambda: iter(tasks), Path())]
    [[True, True, False], [False, True]]
    """
    sizes = [len(hashes) for hashes in read()]
    flags = np.zeros(sum(sizes), dtype=bool)
    for places, hashes in files.together(read, folder, at_once=at_once):
        order, begins = files.same(hashes)
        flags[places[order[begins]]] = True
    ends = np.cumsum(sizes, dtype=np.int64)
    return (flags[end - size : end] for size, end in zip(sizes, ends, strict=True))
