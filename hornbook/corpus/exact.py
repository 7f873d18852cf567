"""Exact duplicates: of equal texts the first is kept, wherever the others are.

Eight bytes of hash a document: the chance of a false match among 100 million documents is 3 in 10,000. Many hashes are
compared part by part, by their highest bits, so memory has a limit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hornbook.corpus.clean import text_hash
from hornbook.corpus.document import Across, Document, Result

AT_ONCE = 1 << 24  # hashes that are sorted together: 400 MB with their places

Hashes = NDArray[np.uint64]


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
        write_flags(decisions, "keep", firsts(lambda: (read_column(scan, "hash") for scan in scans)))

    def apply(self, documents: list[Document], decisions: pa.RecordBatch) -> Result:
        """Drop the others."""
        result = Result([])
        for document, keep in zip(documents, decisions.column("keep").to_pylist(), strict=True):
            if keep:
                result.kept.append(document)
            else:
                result.dropped.append((document, "exact duplicate"))
        return result


def firsts(read: Callable[[], Iterator[Hashes]], at_once: int = AT_ONCE) -> list[NDArray[np.bool_]]:
    """For each array of hashes that `read()` yields: whether each is the first of its kind in all of them.

    >>> tasks = [np.array([7, 9, 7], np.uint64), np.array([9, 1], np.uint64)]
    >>> [flags.tolist() for flags in firsts(lambda: iter(tasks))]
    [[True, True, False], [False, True]]
    """
    sizes = [len(hashes) for hashes in read()]
    flags = np.zeros(sum(sizes), dtype=bool)
    parts = 1 << max(0, (len(flags) // at_once).bit_length())
    for part in range(parts):
        places, hashes = _part(read(), part, parts)
        flags[places[np.unique(hashes, return_index=True)[1]]] = True
    return np.split(flags, np.cumsum(sizes)[:-1]) if sizes else []


def _part(arrays: Iterator[Hashes], part: int, parts: int) -> tuple[NDArray[np.int64], Hashes]:
    """The places and values of the hashes whose highest bits say `part`, in order."""
    shift = np.uint64(64 - parts.bit_length() + 1)
    places, values, start = [np.empty(0, np.int64)], [np.empty(0, np.uint64)], 0
    for hashes in arrays:
        mine = np.flatnonzero(hashes >> shift == part) if parts > 1 else np.arange(len(hashes))
        places.append(mine + start)
        values.append(hashes[mine])
        start += len(hashes)
    return np.concatenate(places), np.concatenate(values)


def read_column(path: Path, name: str) -> NDArray[Any]:
    """A column of numbers of an Arrow file."""
    with pa.memory_map(str(path)) as source:
        column: NDArray[Any] = pa.ipc.open_file(source).read_all().column(name).to_numpy()
    return column


def write_flags(paths: Sequence[Path], name: str, flags: Sequence[NDArray[np.bool_]]) -> None:
    """One Arrow file a task with one column of truth values."""
    for path, values in zip(paths, flags, strict=True):
        batch = pa.record_batch({name: pa.array(values)})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as file:
            file.write_batch(batch)
