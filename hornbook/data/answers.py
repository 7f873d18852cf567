"""Texts and the answers to them, side by side: what an encoder reads, what a decoder reads, what it is to write.

Rows are as long as the longest among them, so a batch of short texts costs little; padding is hidden from attention and
trains nothing. A decoder reads its answer one place late, beginning with padding, as in T5 and Marian.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from hornbook.data.batches import IGNORE, Batch, WindowSource
from hornbook.data.marks import Marks
from hornbook.data.order import row_generator

Ids = NDArray[np.int64]
Rewrite = Callable[[Ids, np.random.Generator], tuple[Ids, Ids]]
"""A text to (what is read, what is to be written), both without marks at their ends."""


def side_by_side(pairs: Sequence[tuple[Ids, Ids]], marks: Marks) -> Batch:
    """(text, answer) pairs as one batch; [begin] and end marks are put around them here."""
    sources, real = _filled([np.concatenate([marks.before, text, [marks.end]]) for text, _ in pairs], marks.pad)
    answers, said = _filled([np.append(answer, marks.end) for _, answer in pairs], marks.pad)
    late = np.roll(answers, 1, axis=1)
    late[:, 0] = marks.pad
    return Batch(
        torch.from_numpy(sources),
        torch.from_numpy(np.where(said, answers, IGNORE)),
        attention_mask=None if real.all() else torch.from_numpy(real),
        decoder_input_ids=torch.from_numpy(late),
    )


def _filled(rows: list[Ids], pad: int) -> tuple[Ids, NDArray[np.bool_]]:
    """Rows of unequal length as one array, and where it is not padding."""
    lengths = np.array([len(row) for row in rows])
    real = np.arange(int(lengths.max())) < lengths[:, None]
    array = np.full(real.shape, pad, dtype=np.int64)
    array[real] = np.concatenate(rows)
    return array, real


class Rewritten:
    """Windows of running text, each spoilt in some way, and how to mend it; a `Source`."""

    def __init__(self, windows: WindowSource, rewrite: Rewrite, marks: Marks, *, length: int, trained: float) -> None:
        self.windows, self.rewrite, self.marks = windows, rewrite, marks
        self.length = length
        self.rows_per_epoch = windows.rows_per_epoch
        self.tokens_per_row = trained

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1; a text is spoilt anew in every epoch."""
        texts = self.windows.tokens(first_row, rows)[:, :-1]
        seeds = range(first_row, first_row + rows)
        rewritten = [
            self.rewrite(text, row_generator(self.windows.seed, row)) for text, row in zip(texts, seeds, strict=True)
        ]
        return side_by_side(rewritten, self.marks)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the documents each row touches."""
        return self.windows.documents(first_row, rows)
