"""Masked next token prediction: a hidden token is guessed, and the answer is read off the place before it.

LLM2Vec's second step (BehnamGhader et al. 2024, section 2.1): a decoder was trained to say at place i what stands at
i + 1; so, when its causal mask is gone, it is asked for the hidden token there and keeps what it knows. A vocabulary
without a mask token hides behind "_", as theirs does. Rows are windows of the running text.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Batch, Windows, WindowSource
from hornbook.data.marks import Marks, marks
from hornbook.data.masked import Mask, Masker
from hornbook.data.order import row_generator
from hornbook.data.shards import Split
from hornbook.data.words import Words
from hornbook.text.tokenizer import Tokenizer

BLANK = "_"


@dataclass(frozen=True, kw_only=True)
class MaskedNextTokens:
    """Rows of `length` tokens of running text, some of them hidden; each is answered one place early."""

    length: int
    mask: Mask = field(default_factory=lambda: Mask(share=0.2))  # LLM2Vec, appendix D.1: 20 % for Llama

    def __post_init__(self) -> None:
        if self.length < 2:
            raise ValueError(f"length: {self.length} has no place before a hidden token; try 512")

    def build(self, split: Split, tokenizer: Tokenizer, *, seed: int | None) -> "MaskedNextRows":
        """Rows of a split in an order drawn from the seed, or in the order of the text with None."""
        words = Words(tokenizer) if self.mask.whole_words else None
        masker = Masker(self.mask.share, with_blank(tokenizer), words)
        return MaskedNextRows(Windows(length=self.length).build(split, seed=seed), masker)


def with_blank(tokenizer: Tokenizer) -> Marks:
    """The marks of a tokenizer, with a mask."""
    found = marks(tokenizer)
    if found.mask is not None:
        return found
    blank = tokenizer.encode(BLANK)
    if len(blank) != 1:
        raise UserError(f"tokenizer: has neither a mask token nor {BLANK!r} as one token; take a base that has one")
    return replace(found, mask=blank[0])


class MaskedNextRows:
    """The rows of `MaskedNextTokens` over one split; a `Source`."""

    def __init__(self, windows: WindowSource, masker: Masker) -> None:
        self.windows, self.masker = windows, masker
        self.length, self.rows_per_epoch = windows.length, windows.rows_per_epoch
        self.tokens_per_row = masker.share * (windows.length - 1)  # the first token has no place before it

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1; a text is masked anew in every epoch."""
        seen, labels = np.full((2, rows, self.length), IGNORE, dtype=np.int64)
        for place, text in enumerate(self.windows.tokens(first_row, rows)):
            ids = text[:-1]
            seen[place], hidden = self.masker(ids, row_generator(self.windows.seed, first_row + place))
            labels[place, :-1] = hidden[1:]
        return Batch(torch.from_numpy(seen), torch.from_numpy(labels))

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the documents each row touches."""
        return self.windows.documents(first_row, rows)
