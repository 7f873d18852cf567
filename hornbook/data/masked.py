"""Text with holes: some tokens are hidden, and the model is to say which they were (a cloze test).

BERT (Devlin et al. 2019, section 3.1): 15 % of the tokens are chosen; of these 80 % become the mask, 10 % another token
and 10 % stay, so that the model cannot trust any token. Whole words (their later release) hide all tokens of a word
together. The choice is new each time a text comes around, as in RoBERTa (Liu et al. 2019, section 4.1); BERT's files
were masked ten times over instead. Rows are full: windows of the running text (RoBERTa's full sentences).
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from hornbook.data.batches import IGNORE, Batch, Windows, WindowSource
from hornbook.data.marks import Marks, marks
from hornbook.data.order import about, row_generator
from hornbook.data.shards import Split
from hornbook.data.words import Words
from hornbook.text.tokenizer import Tokenizer

Ids = NDArray[np.int64]

HIDDEN, REPLACED = 0.8, 0.1  # Devlin et al. 2019, section 3.1; the rest of the chosen tokens stays as it is


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Which tokens are hidden."""

    share: float = 0.15
    """Share of a row's tokens that are to be guessed."""
    whole_words: bool = False
    """Hide all tokens of a word or none."""

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share: {self.share} is not a share between 0 and 1; try 0.15")

    def build(self, tokenizer: Tokenizer) -> "Masker":
        """What hides tokens of this vocabulary; UserError where it has no mask."""
        return Masker(self.share, marks(tokenizer), Words(tokenizer) if self.whole_words else None)


class Masker:
    """Hides tokens of a row."""

    def __init__(self, share: float, marks: Marks, words: Words | None) -> None:
        self.share, self.words = share, words
        self.mask, self.is_text, self.text = marks.require_mask(), marks.is_text, np.flatnonzero(marks.is_text)

    def __call__(self, ids: Ids, rng: np.random.Generator) -> tuple[Ids, Ids]:
        """(what is seen, what is to be said: the id where it was chosen, else IGNORE); ids that are no text stay."""
        candidates = np.flatnonzero(self.is_text[ids])
        count = about(self.share * len(candidates), rng)
        chosen = self._words(ids, candidates, count, rng) if self.words else rng.permutation(candidates)[:count]
        fate = rng.random(len(chosen))
        seen, labels = ids.copy(), np.full_like(ids, IGNORE)
        labels[chosen] = ids[chosen]
        seen[chosen[fate < HIDDEN]] = self.mask
        other = chosen[(fate >= HIDDEN) & (fate < HIDDEN + REPLACED)]
        seen[other] = rng.choice(self.text, len(other))
        return seen, labels

    def _words(self, ids: Ids, candidates: Ids, count: int, rng: np.random.Generator) -> Ids:
        """Whole words in random order, each taken that still fits into `count` tokens."""
        assert self.words is not None
        _, word = np.unique(self.words.number(ids)[candidates], return_inverse=True)
        sizes, taken = np.bincount(word), []
        for number in rng.permutation(len(sizes)).tolist():
            if sizes[number] <= count:
                taken.append(number)
                count -= sizes[number]
            if not count:
                break
        chosen: Ids = candidates[np.isin(word, taken)]
        return chosen


@dataclass(frozen=True, kw_only=True)
class Masked:
    """Rows of `length` tokens of running text, some of them hidden."""

    length: int
    """Tokens of a row, the marks at its ends included."""
    mask: Mask = field(default_factory=Mask)

    def __post_init__(self) -> None:
        if self.length < 4:
            raise ValueError(f"length: {self.length} leaves no room for text between the marks; try 128")

    def build(self, split: Split, tokenizer: Tokenizer, *, seed: int | None) -> "MaskedRows":
        """Rows of a split in an order drawn from the seed, or in the order of the text with None."""
        found = marks(tokenizer)
        windows = Windows(length=self.length - len(found.before) - 1).build(split, seed=seed)
        return MaskedRows(windows, self.mask.build(tokenizer), found)


class MaskedRows:
    """The rows of `Masked` over one split; a `Source`."""

    def __init__(self, windows: WindowSource, masker: Masker, marks: Marks) -> None:
        self.windows, self.masker, self.marks = windows, masker, marks
        self.length = len(marks.before) + windows.length + 1
        self.rows_per_epoch = windows.rows_per_epoch
        self.tokens_per_row = masker.share * windows.length

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1; a text is masked anew in every epoch."""
        seen, labels = np.empty((2, rows, self.length), dtype=np.int64)
        for place, text in enumerate(self.windows.tokens(first_row, rows)):
            ids = np.concatenate([self.marks.before, text[:-1], [self.marks.end]])
            seen[place], labels[place] = self.masker(ids, row_generator(self.windows.seed, first_row + place))
        return Batch(torch.from_numpy(seen), torch.from_numpy(labels))

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the documents each row touches."""
        return self.windows.documents(first_row, rows)
