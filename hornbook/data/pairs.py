"""A text and its answer, from files: a sentence and its translation, a question and what to write (Sutskever 2014).

The shards of such a corpus hold each pair as two documents, the text and then its answer; row r is one pair.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.data.answers import Ids, side_by_side
from hornbook.data.batches import Batch, row_indices
from hornbook.data.marks import Marks, marks
from hornbook.data.shards import TOKENS, Split
from hornbook.text.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Rows of a text and its answer, each at most `length` tokens."""

    length: int
    """Longest text and longest answer, marks included."""
    long: Literal["drop", "cut"] = "drop"
    """A pair of which one side is longer is left out, or loses that side's end."""

    def __post_init__(self) -> None:
        if self.length < 3:
            raise ValueError(f"length: {self.length} leaves no room for text between the marks; try 64")

    def build(self, split: Split, tokenizer: Tokenizer, *, seed: int | None) -> "PairRows":
        """Rows of a split in an order drawn from the seed, or as they came with None."""
        return PairRows(split, self, marks(tokenizer), seed=seed)


class PairRows:
    """The rows of `Pairs` over one split; a `Source`."""

    def __init__(self, split: Split, config: Pairs, marks: Marks, *, seed: int | None) -> None:
        self.split, self.config, self.marks, self.seed = split, config, marks, seed
        self.room = config.length - 1 - len(marks.before)
        sizes = np.diff(split.table[:, TOKENS]).reshape(-1, 2) - 1  # without their end ids
        fits = (sizes <= self.room).all(1)
        self.long = int((~fits).sum())
        self.pairs: NDArray[np.int64] = np.flatnonzero(fits) if config.long == "drop" else np.arange(len(sizes))
        if not len(self.pairs):
            raise UserError(
                f"{split.folder}: none of the {len(sizes)} pairs of the {split.name} split fits {config.length} "
                "tokens; make data.length longer"
            )
        self.length = round(float(np.minimum(sizes[self.pairs], self.room).sum(1).mean())) + 2
        self.rows_per_epoch = len(self.pairs)
        self.tokens_per_row = float(np.minimum(sizes[self.pairs, 1], self.room).mean()) + 1

    def batch(self, first_row: int, rows: int) -> Batch:
        """Pairs first_row to first_row + rows - 1."""
        pairs = self.pairs[row_indices(first_row, rows, self.rows_per_epoch, self.seed)].tolist()
        return side_by_side([(self.text(2 * pair), self.text(2 * pair + 1)) for pair in pairs], self.marks)

    def text(self, document: int) -> Ids:
        """The ids of one side, without its end id."""
        start, stop = self.split.span(document)
        ids: Ids = self.split.ids[start : min(stop - 1, start + self.room)].astype(np.int64)
        return ids

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the pairs' texts."""
        pairs = self.pairs[row_indices(first_row, rows, self.rows_per_epoch, self.seed)].tolist()
        return [[self.split.document_name(2 * pair)] for pair in pairs]
