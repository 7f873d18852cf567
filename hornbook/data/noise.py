"""Text spoilt in five ways, alone or one after the other; the model writes the whole text again (BART).

Lewis et al. 2020, section 2.2 and figure 2: tokens are hidden or deleted, spans of Poisson(3) tokens become one mask
each (a span of none is a mask put in), sentences change places, the text is turned so that another token comes first.
BART's own mixture (section 5) is infilling of 30 % and all sentences moved. A text is a window of the running text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from hornbook.data.answers import Rewritten
from hornbook.data.batches import Windows
from hornbook.data.marks import marks
from hornbook.data.order import about
from hornbook.data.shards import Split
from hornbook.data.spans import scatter
from hornbook.data.words import stops
from hornbook.text.tokenizer import Tokenizer

Ids = NDArray[np.int64]
Change = Callable[[Ids, np.random.Generator], Ids]

SPAN = 3.0  # Lewis et al. 2020, section 2.2: lambda of the Poisson distribution of span lengths


@dataclass(frozen=True, kw_only=True)
class HideTokens:
    """Token masking: some tokens become the mask."""

    share: float = 0.15
    """Share of the tokens (BERT's)."""

    def build(self, tokenizer: Tokenizer) -> Change:
        """The change, for this vocabulary."""
        mask = marks(tokenizer).require_mask()

        def change(ids: Ids, rng: np.random.Generator) -> Ids:
            hidden = ids.copy()
            hidden[rng.permutation(len(ids))[: about(self.share * len(ids), rng)]] = mask
            return hidden

        return change


@dataclass(frozen=True, kw_only=True)
class DeleteTokens:
    """Token deletion: some tokens are gone, and the model has to find where."""

    share: float = 0.15
    """Share of the tokens."""

    def build(self, tokenizer: Tokenizer) -> Change:  # noqa: ARG002 (the others ask the vocabulary)
        """The change, for any vocabulary."""

        def change(ids: Ids, rng: np.random.Generator) -> Ids:
            return np.delete(ids, rng.permutation(len(ids))[: about(self.share * len(ids), rng)])

        return change


@dataclass(frozen=True, kw_only=True)
class Infill:
    """Text infilling: spans become one mask each, and the model has to find how long they were."""

    share: float = 0.3
    """Share of the tokens that lie in spans, on average."""

    def build(self, tokenizer: Tokenizer) -> Change:
        """The change, for this vocabulary."""
        mask = marks(tokenizer).require_mask()

        def change(ids: Ids, rng: np.random.Generator) -> Ids:
            return infill(ids, draw_lengths(len(ids), self.share, rng), mask, rng)

        return change


def draw_lengths(tokens: int, share: float, rng: np.random.Generator) -> Ids:
    """Lengths of as many Poisson spans as hold a share of the tokens on average; what finds no room is left out."""
    lengths = rng.poisson(SPAN, about(share * tokens / SPAN, rng))
    fits = np.cumsum(lengths) + np.arange(len(lengths)) <= tokens
    return lengths[fits]


def infill(ids: Ids, lengths: Ids, mask: int, rng: np.random.Generator) -> Ids:
    """The text with a mask for each span, all in places drawn at random, no two side by side."""
    starts = scatter(lengths, len(ids), rng)
    ends = np.concatenate([[0], starts + lengths])
    kept = [ids[end:start] for end, start in zip(ends, np.append(starts, len(ids)), strict=True)]
    return np.concatenate([kept[0], *(np.insert(piece, 0, mask) for piece in kept[1:])])


@dataclass(frozen=True, kw_only=True)
class PermuteSentences:
    """Sentence permutation: the sentences, divided at full stops, in another order."""

    def build(self, tokenizer: Tokenizer) -> Change:
        """The change, for this vocabulary."""
        stop = stops(tokenizer)

        def change(ids: Ids, rng: np.random.Generator) -> Ids:
            sentences = np.split(ids, np.flatnonzero(stop[ids[:-1]]) + 1)
            return np.concatenate([sentences[place] for place in rng.permutation(len(sentences))])

        return change


@dataclass(frozen=True, kw_only=True)
class Rotate:
    """Document rotation: the text begins at a token drawn at random, and what stood before it comes last."""

    def build(self, tokenizer: Tokenizer) -> Change:  # noqa: ARG002 (the others ask the vocabulary)
        """The change, for any vocabulary."""

        def change(ids: Ids, rng: np.random.Generator) -> Ids:
            return np.roll(ids, -int(rng.integers(len(ids))))

        return change


Noise = HideTokens | DeleteTokens | Infill | PermuteSentences | Rotate


@dataclass(frozen=True, kw_only=True)
class Denoise:
    """Rows of `length` tokens of running text, spoilt; the answer is the text as it was."""

    length: int
    """Tokens of a row, the marks at its ends included."""
    noise: tuple[Noise, ...] = (PermuteSentences(), Infill())
    """What is done to the text, in order."""

    def __post_init__(self) -> None:
        if self.length < 4:
            raise ValueError(f"length: {self.length} leaves no room for text between the marks; try 128")
        if not self.noise:
            raise ValueError("noise: without any the model learns to copy; name one, such as infill")
        for each in self.noise:
            share = getattr(each, "share", 0.5)
            if not 0 < share < 1:
                raise ValueError(f"noise: a share of {share} is not between 0 and 1; try 0.3")

    def build(self, split: Split, tokenizer: Tokenizer, *, seed: int | None) -> Rewritten:
        """Rows of a split in an order drawn from the seed, or in the order of the text with None."""
        found = marks(tokenizer)
        text = self.length - 1 - len(found.before)
        changes = [each.build(tokenizer) for each in self.noise]

        def rewrite(ids: Ids, rng: np.random.Generator) -> tuple[Ids, Ids]:
            spoilt = reduce(lambda so_far, change: change(so_far, rng), changes, ids)
            return spoilt[:text], ids  # masks put in may make it longer by a few

        windows = Windows(length=text).build(split, seed=seed)
        return Rewritten(windows, rewrite, found, length=2 * self.length, trained=text + 1.0)
