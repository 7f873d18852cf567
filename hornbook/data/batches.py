"""Token ids to batches: row r is the same whoever asks for it, so resuming is asking for the next row.

`Windows` cuts the stream of all documents into windows of `length` tokens every `stride` tokens, as the book's
GPTDatasetV1 does (Raschka, Build a Large Language Model from Scratch, section 2.6). Its last, incomplete window is
left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Int
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from hornbook.data.order import permute
from hornbook.data.shards import Split

IGNORE = -100  # label of a position that trains nothing: torch's cross_entropy leaves it out


@dataclass(frozen=True)
class Batch:
    """Some rows of token ids and what to predict at each position."""

    input_ids: Int[Tensor, "rows length"]
    labels: Int[Tensor, "rows length"]
    """The token after each position, IGNORE where nothing is trained."""
    document_ids: Int[Tensor, "rows length"] | None = None
    """int32; positions with different numbers must not attend to each other."""
    positions: Int[Tensor, "rows length"] | None = None
    """Position inside the document; None counts from the row's start."""

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on a device; from pinned memory the copy runs beside the computation."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def cut(self, length: int) -> "Batch":
        """The same tokens as rows of `length`, which divides the rows there are."""
        return self._each(lambda tensor: tensor.reshape(-1, length))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        documents, positions = (None if t is None else change(t) for t in (self.document_ids, self.positions))
        return Batch(change(self.input_ids), change(self.labels), documents, positions)


class Source(Protocol):
    """Rows without end: row r is a pure function of (seed, r), found in constant time."""

    length: int
    """Tokens in a row."""
    rows_per_epoch: int
    """Rows after which every row of the data has been seen once."""
    tokens_per_row: float
    """Positions of a row that are trained, on average."""

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row, first_row + 1, ..."""
        ...

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the documents in each row."""
        ...


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Windows of `length` tokens, a new one every `stride` tokens."""

    length: int
    stride: int | None = None
    """Below `length` windows overlap, above it tokens are left out; None means `length`."""

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length: {self.length} is not a number of tokens; try 256")
        if self.stride is not None and self.stride < 1:
            raise ValueError(f"stride: {self.stride} never moves on; use 1 or more, or leave it out for {self.length}")

    def build(self, split: Split, *, seed: int | None) -> "WindowSource":
        """Rows of a split in an order drawn from the seed, or in the order of the text with None."""
        split.require(self.length)
        return WindowSource(split, self.length, self.stride or self.length, seed=seed)


class WindowSource:
    """The rows of `Windows` over one split."""

    def __init__(self, split: Split, length: int, stride: int, *, seed: int | None) -> None:
        self.split = split
        self.length = length
        self.stride = stride
        self.seed = seed
        self.rows_per_epoch = -(-(split.tokens - length) // stride)
        self.tokens_per_row = float(length)
        self.windows = sliding_window_view(split.ids, length + 1)  # a view: nothing is read yet

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1, wherever an epoch ends."""
        tokens = self.windows[self._starts(first_row, rows)].astype(np.int64)
        return Batch(_tensor(tokens[:, :-1]), _tensor(tokens[:, 1:]))

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the documents each window touches, its targets included."""
        starts = self._starts(first_row, rows)
        first, last = self.split.document_of(starts), self.split.document_of(starts + self.length)
        return [
            [self.split.document_name(document) for document in range(a, b + 1)]
            for a, b in zip(first.tolist(), last.tolist(), strict=True)
        ]

    def _starts(self, first_row: int, rows: int) -> NDArray[np.int64]:
        return row_indices(first_row, rows, self.rows_per_epoch, self.seed) * self.stride


def row_indices(first_row: int, rows: int, rows_per_epoch: int, seed: int | None) -> NDArray[np.int64]:
    """Which row of the data each row of training is; without a seed in order, again and again."""
    epochs, positions = np.divmod(np.arange(first_row, first_row + rows, dtype=np.int64), rows_per_epoch)
    return positions if seed is None else permute(positions, rows_per_epoch, seed, epochs)


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
