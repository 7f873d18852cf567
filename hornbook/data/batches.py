"""Token ids to batches: row r is the same whoever asks for it, so resuming is asking for the next row.

`Windows` cuts the stream of all documents into windows of `length` tokens every `stride` tokens, as the book's
GPTDatasetV1 does (Raschka, Build a Large Language Model from Scratch, section 2.6). Its last, incomplete window is
left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from hornbook.data.order import permute
from hornbook.data.shards import Split

IGNORE = -100  # label of a position that trains nothing: torch's cross_entropy leaves it out


@dataclass(frozen=True)
class Batch:
    """Some rows: what a model reads and what it is to answer; a part that an objective has no use for is None."""

    input_ids: Int[Tensor, "rows length"] | None
    labels: Int[Tensor, "rows *places"]
    """The right answer at each place (next token, hidden token, class, ...), IGNORE where nothing is trained."""
    document_ids: Int[Tensor, "rows length"] | None = None
    """int32; positions with different numbers must not attend to each other."""
    positions: Int[Tensor, "rows length"] | None = None
    """Position inside the document; None counts from the row's start."""
    attention_mask: Bool[Tensor, "rows length"] | None = None
    """False where an input id is padding."""
    token_type_ids: Int[Tensor, "rows length"] | None = None
    """0 in the first text of a row, 1 in the second."""
    decoder_input_ids: Int[Tensor, "rows answer"] | None = None
    """What the decoder of an encoder-decoder reads: its labels, one place later."""
    pixel_values: Float[Tensor, "rows channels height width"] | None = None
    next_sentence_labels: Int[Tensor, " rows"] | None = None
    """0 where the second text of a row follows the first, 1 where it was drawn from elsewhere (as in BERT's files)."""

    @property
    def inputs(self) -> dict[str, Tensor]:
        """The arguments of a model's forward pass, by name."""
        parts = {field.name: getattr(self, field.name) for field in fields(self) if not field.name.endswith("labels")}
        return {name: tensor for name, tensor in parts.items() if tensor is not None}

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on a device; from pinned memory the copy runs beside the computation."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def cut(self, length: int) -> "Batch":
        """The same running text as rows of `length`, which divides the rows there are."""
        return self._each(lambda tensor: tensor.reshape(-1, length))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        parts: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {name: None if part is None else change(part) for name, part in parts.items()}
        return Batch(**moved)


class Source(Protocol):
    """Rows without end: row r is a pure function of (seed, r), found in constant time."""

    length: int
    """Tokens of a row that a model reads, those of an answer it writes included."""
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
        tokens = self.tokens(first_row, rows)
        return Batch(_tensor(tokens[:, :-1]), _tensor(tokens[:, 1:]))

    def tokens(self, first_row: int, rows: int) -> NDArray[np.int64]:
        """(rows, length + 1) ids: each window and the token after it."""
        return self.windows[self._starts(first_row, rows)].astype(np.int64)

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
