"""Whole documents packed into rows with little padding, so that no document is cut without need.

Best-fit decreasing (Johnson 1974), as "Fewer Truncations Improve Language Modeling" (Ding et al. 2024) uses it:
documents longer than a row are split first, then each piece goes, the longest first, where the least space is left.
Each piece starts with the end id of the document before it, so the model learns to begin a document, and every token
of the split is a label exactly once. No piece is placed by topic or quality.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hornbook.core.files import sync
from hornbook.data.batches import IGNORE, Batch, row_indices
from hornbook.data.shards import TOKENS, Split, map_file

VERSION = 1  # of the plan: a change of the rule makes old plans unused
GROUP = 1 << 18  # documents packed together: enough for a tight fit, few enough to sort in memory


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Rows of `length` tokens made of whole documents."""

    length: int
    document_mask: bool = True
    """Give each document its own number and positions from 0, so that attention stays inside it."""

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length: {self.length} is not a number of tokens; try 256")

    def build(self, split: Split, *, seed: int | None) -> "PackedSource":
        """Rows of a split in an order drawn from the seed, or in the plan's order with None.

        The plan is made once and kept, memory-mapped, in the shards folder.
        """
        split.require(self.length)
        return PackedSource(split, plan(split, self.length), document_mask=self.document_mask, seed=seed)


@dataclass(frozen=True)
class Plan:
    """Which pieces of the split stand in which row."""

    length: int
    rows: NDArray[np.int64]
    """(rows + 1,) first piece of each row."""
    starts: NDArray[np.int64]
    """(pieces,) first input token."""
    sizes: NDArray[np.int64]
    """(pieces,) number of inputs; the labels are the same number of tokens, one further on."""


def plan(split: Split, length: int) -> Plan:
    """The plan for a split, from disk or made now."""
    stem = f"{split.name}-packed-{length}-v{VERSION}-{split.fingerprint[:12]}"
    starts, sizes, rows = (split.folder / f"{stem}.{name}" for name in ("starts", "sizes", "rows"))
    if not rows.exists():  # the last to be written
        _write_plan(split, length, [starts, sizes, rows])
    return Plan(length, map_file(rows, "int64"), map_file(starts, "int64"), map_file(sizes, "int64"))


def _write_plan(split: Split, length: int, paths: list[Path]) -> None:
    """Write aside, then rename; several processes may do so at once, since all write the same."""
    asides = [path.with_name(f".{path.name}.{os.getpid()}.aside") for path in paths]
    try:
        with ExitStack() as open_files:
            starts_file, sizes_file, rows_file = (open_files.enter_context(aside.open("wb")) for aside in asides)
            rows_file.write(_bytes(np.zeros(1, dtype=np.int64)))
            done = 0
            for first in range(0, split.documents, GROUP):
                starts, sizes = pieces(split.table[first : first + GROUP + 1, TOKENS], length)
                row_of = best_fit(sizes, length)
                by_row = np.argsort(row_of, kind="stable")
                starts_file.write(_bytes(starts[by_row]))
                sizes_file.write(_bytes(sizes[by_row]))
                rows_file.write(_bytes(done + np.cumsum(np.bincount(row_of))))
                done += len(starts)
        for aside, path in zip(asides, paths, strict=True):
            sync(aside)
            aside.replace(path)
    finally:
        for aside in asides:
            aside.unlink(missing_ok=True)


def _bytes(numbers: NDArray[np.int64]) -> bytes:
    return numbers.astype("<i8", copy=False).tobytes()


def pieces(borders: NDArray[np.int64], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(starts, sizes) of pieces of at most `length` inputs; borders are the documents' first tokens and the last end.

    >>> [numbers.tolist() for numbers in pieces(np.array([0, 4, 11]), 5)]
    [[0, 3, 8], [3, 5, 2]]
    """
    firsts = np.maximum(borders[:-1] - 1, 0)
    inputs = borders[1:] - 1 - firsts
    counts = -(-inputs // length)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)  # of the piece in its document
    starts = np.repeat(firsts, counts) + number * length
    sizes = np.minimum(length, np.repeat(inputs, counts) - number * length)
    return starts, sizes


def best_fit(sizes: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """The row each piece goes to.

    >>> best_fit(np.array([3, 6, 4, 7, 10]), 10).tolist()
    [1, 2, 2, 1, 0]
    """
    rows_by_space: list[list[int]] = [[] for _ in range(length + 1)]
    spaces = 0  # bit s is set where a row has s tokens left: the best fit is the lowest bit at or above the size
    row_of = np.zeros(len(sizes), dtype=np.int64)
    rows = 0
    for piece in np.argsort(-sizes, kind="stable").tolist():
        size = int(sizes[piece])
        fits = spaces >> size
        if fits:
            space = size + (fits & -fits).bit_length() - 1
            row = rows_by_space[space].pop()
            if not rows_by_space[space]:
                spaces ^= 1 << space
        else:
            space, row = length, rows
            rows += 1
        row_of[piece] = row
        if space > size:
            rows_by_space[space - size].append(row)
            spaces |= 1 << (space - size)
    return row_of


class PackedSource:
    """The rows of `Packed` over one split."""

    def __init__(self, split: Split, plan: Plan, *, document_mask: bool, seed: int | None) -> None:
        self.split = split
        self.plan = plan
        self.length = plan.length
        self.document_mask = document_mask
        self.seed = seed
        self.rows_per_epoch = len(plan.rows) - 1
        self.tokens_per_row = (split.tokens - 1) / self.rows_per_epoch  # each token but the first is a label once

    @property
    def utilisation(self) -> float:
        """Share of positions that are not padding."""
        return self.tokens_per_row / self.length

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1; padding is a document of its own, of end ids."""
        inputs = np.full((rows, self.length), self.split.end, dtype=np.int64)
        labels = np.full((rows, self.length), IGNORE, dtype=np.int64)
        documents = np.zeros((rows, self.length), dtype=np.int32)
        positions = np.zeros((rows, self.length), dtype=np.int64)
        for place, (starts, sizes) in enumerate(self._pieces(first_row, rows)):
            column = 0
            for start, size in zip(starts, sizes, strict=True):
                tokens = self.split.ids[start : start + size + 1]
                inputs[place, column : column + size] = tokens[:-1]
                labels[place, column : column + size] = tokens[1:]
                column += size
            lengths = [*sizes, self.length - column]
            documents[place] = np.repeat(np.arange(len(lengths)), lengths)
            positions[place] = np.concatenate([np.arange(length) for length in lengths])
        tensors: list[Any] = [torch.from_numpy(array) for array in (inputs, labels, documents, positions)]
        return Batch(*tensors) if self.document_mask else Batch(*tensors[:2])

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the documents packed into each row."""
        found = [self.split.document_of(np.array(starts) + 1) for starts, _ in self._pieces(first_row, rows)]
        return [[self.split.document_name(document) for document in row.tolist()] for row in found]

    def _pieces(self, first_row: int, rows: int) -> list[tuple[list[int], list[int]]]:
        indices = row_indices(first_row, rows, self.rows_per_epoch, self.seed)
        spans = zip(self.plan.rows[indices].tolist(), self.plan.rows[indices + 1].tolist(), strict=True)
        return [(self.plan.starts[a:b].tolist(), self.plan.sizes[a:b].tolist()) for a, b in spans]
