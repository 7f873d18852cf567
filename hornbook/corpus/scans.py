"""What was noted of every document, read back column by column, and hashes brought together that are equal.

More hashes than memory should hold are first dealt out to files by their highest bits, so that equal ones lie in the
same file; then one file after the other is read.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

AT_ONCE = 1 << 23  # hashes that are compared together: 300 MB with their places and what sorting takes
MOST_PARTS = 256  # files open at once; above two billion hashes the parts become larger
PLACED = np.dtype([("hash", np.uint64), ("place", np.int64)])

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]


def together(
    read: Callable[[], Iterator[Hashes]], folder: Path, *, at_once: int = AT_ONCE
) -> Iterator[tuple[Places, Hashes]]:
    """The hashes of all arrays that `read()` yields, with their places: equal ones in the same part, parts in order.

    >>> tasks = [np.array([7, 9], np.uint64), np.array([7], np.uint64)]
    >>> [(places.tolist(), hashes.tolist()) for places, hashes in together(lambda: iter(tasks), Path())]
    [([0, 1, 2], [7, 9, 7])]
    """
    total = sum(len(hashes) for hashes in read())
    if total <= at_once:
        yield np.arange(total), np.concatenate([np.empty(0, np.uint64), *read()])
        return
    bits = min((total // at_once).bit_length(), MOST_PARTS.bit_length() - 1)
    with TemporaryDirectory(dir=folder) as aside:
        paths = [Path(aside) / str(part) for part in range(1 << bits)]
        _deal(read(), paths, np.uint64(64 - bits))
        for path in paths:
            part = np.fromfile(path, PLACED)
            yield part["place"], part["hash"]


def _deal(arrays: Iterator[Hashes], paths: list[Path], shift: np.uint64) -> None:
    """Write every hash with its place into the file that its highest bits say."""
    start = 0
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for hashes in arrays:
            part = (hashes >> shift).astype(np.int64)
            order = np.argsort(part, kind="stable")
            placed = np.empty(len(hashes), PLACED)
            placed["hash"], placed["place"] = hashes[order], order + start
            borders = np.searchsorted(part[order], np.arange(len(paths) + 1))
            for file, first, last in zip(files, borders, borders[1:], strict=False):
                file.write(placed[first:last].tobytes())
            start += len(hashes)


def same(hashes: Hashes) -> tuple[Places, Places]:
    """An order that puts equal hashes side by side, each as they came, and where in it each kind begins.

    >>> [part.tolist() for part in same(np.array([7, 2, 7, 9], np.uint64))]
    [[1, 0, 2, 3], [0, 1, 3]]
    """
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    return order, np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])


def read_column(path: Path, name: str) -> NDArray[Any]:
    """A column of numbers of an Arrow file."""
    numbers: NDArray[Any] = _column(path, name).to_numpy()
    return numbers


def read_lists(path: Path, name: str) -> tuple[NDArray[Any], Places]:
    """A column of lists of numbers: all of them, and how many each row has."""
    column = _column(path, name)
    return pc.list_flatten(column).to_numpy(), pc.list_value_length(column).to_numpy().astype(np.int64)


def read_texts(path: Path, name: str) -> tuple[NDArray[np.uint8], Places]:
    """A column of texts: all bytes, and how many each row has."""
    column = _column(path, name)
    joined = b"".join(text.encode(errors="surrogatepass") for text in column.to_pylist())
    return np.frombuffer(joined, np.uint8), pc.binary_length(column).to_numpy().astype(np.int64)


def _column(path: Path, name: str) -> pa.ChunkedArray:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all().column(name)


def lists(values: NDArray[Any], offsets: Places) -> pa.Array:
    """A column of lists: those of row i are `values[offsets[i]:offsets[i + 1]]`."""
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(values))


def write(path: Path, columns: dict[str, Any]) -> None:
    """One Arrow file, a row a document."""
    batch = pa.record_batch({name: pa.array(values) for name, values in columns.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as file:
        file.write_batch(batch)


class Shelf:
    """Lists of numbers that lie one after the other in a file, any of which can be fetched."""

    def __init__(self, path: Path, rows: Iterator[tuple[NDArray[Any], Places]], kind: type[np.generic]) -> None:
        ends, self._kind = [np.zeros(1, np.int64)], kind
        with path.open("wb") as file:
            for values, lengths in rows:
                file.write(values.astype(kind).tobytes())
                ends.append(lengths)
        self._path = path
        self.offsets: Places = np.cumsum(np.concatenate(ends))

    def __call__(self, places: Places) -> tuple[NDArray[Any], Places]:
        """The lists at some places, one after the other, and where each begins and the last ends."""
        starts, lengths = self.offsets[places], self.offsets[places + 1] - self.offsets[places]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        if not self.offsets[-1]:  # an empty file cannot be mapped
            return np.empty(0, self._kind), offsets
        values = np.memmap(self._path, self._kind, "r")
        return values[np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])], offsets
