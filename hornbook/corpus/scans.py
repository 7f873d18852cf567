"""What was noted of every document, read back column by column, and hashes brought together that are equal.

More hashes than memory should hold are first dealt out to files by their highest bits, so that equal ones lie in the
same file; then one file after the other is read.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
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


def columns(path: Path, name: str) -> Iterator[pa.Array]:
    """A column of an Arrow file, batch by batch."""
    with pa.OSFile(str(path)) as source:
        place = pa.ipc.open_file(source).schema.get_field_index(name)
        file = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=[place]))
        for number in range(file.num_record_batches):
            yield file.get_batch(number).column(0)


def numbers(path: Path, name: str) -> Iterator[NDArray[Any]]:
    """A column of numbers; copied, as a view would keep the other columns of its batch in memory."""
    return (column.to_numpy().copy() for column in columns(path, name))


def lists(path: Path, name: str) -> Iterator[tuple[NDArray[Any], Places]]:
    """A column of lists of numbers: all numbers of a batch, and how many each row has."""
    return ((column.flatten().to_numpy(), column.value_lengths().to_numpy()) for column in columns(path, name))


def letters(path: Path, name: str) -> Iterator[tuple[NDArray[np.uint8], Places]]:
    """A column of texts: all bytes of a batch, and how many each row has."""
    for column in columns(path, name):
        texts = [text.encode(errors="surrogatepass") for text in column.to_pylist()]
        yield np.frombuffer(b"".join(texts), np.uint8), np.array([len(text) for text in texts], np.int64)


def list_column(values: NDArray[Any], offsets: Places) -> pa.Array:
    """A column of lists: those of row i are `values[offsets[i]:offsets[i + 1]]`."""
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(values))


def write(path: Path, schema: pa.Schema, batches: Iterable[list[Any]]) -> None:
    """An Arrow file; every batch is the columns of some documents."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as file:
        for batch in batches:
            file.write_batch(pa.record_batch([pa.array(column) for column in batch], schema=schema))


class Shelf:
    """Lists of numbers that lie one after the other in a file, any of which can be fetched."""

    def __init__(self, path: Path, rows: Iterable[tuple[NDArray[Any], Places]], kind: type[np.generic]) -> None:
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
        width = np.dtype(self._kind).itemsize
        where = zip((starts * width).tolist(), (lengths * width).tolist(), strict=True)
        with self._path.open("rb", buffering=0) as file:  # not mapped: pages once touched would count as memory
            found = b"".join(os.pread(file.fileno(), length, start) for start, length in where)
        return np.frombuffer(found, self._kind), np.concatenate([[0], np.cumsum(lengths)])
