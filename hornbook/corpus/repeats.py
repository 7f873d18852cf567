"""Which hashes of a document were in an earlier one: what lines and substrings have in common.

A document is a row of the scans with a list of hashes. Deciding takes memory for one part of the hashes (scans.py) and
8 bytes a document; the flags, a byte a hash, lie in a file.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from hornbook.corpus import scans as files
from hornbook.corpus.scans import AT_ONCE, Hashes, Places

Flags = NDArray[np.bool_]


def repeated(
    scans: Sequence[Path], name: str, folder: Path, *, at_once: int = AT_ONCE
) -> Iterator[tuple[Flags, Places]]:
    """For each batch of each scan: whether each hash of its lists was in an earlier row, and how many each row has."""

    def batches() -> Iterator[tuple[Hashes, Places]]:
        return (batch for scan in scans for batch in files.lists(scan, name))

    ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *(lengths for _, lengths in batches())]))[1:]
    with TemporaryDirectory(dir=folder) as aside:
        flags = np.memmap(Path(aside) / "flags", np.bool_, "w+", shape=(int(ends[-1]) + 1 if len(ends) else 1,))
        for places, hashes in files.together(lambda: (each for each, _ in batches()), folder, at_once=at_once):
            order, begins = files.same(hashes)
            rows = np.searchsorted(ends, places[order], "right")
            first = np.repeat(rows[begins], np.diff(begins, append=len(rows)))
            flags[places[order[rows != first]]] = True
        start = 0
        for values, lengths in batches():
            yield np.array(flags[start : start + len(values)]), lengths
            start += len(values)
        del flags
