"""Train a unigram tokenizer (Kudo, 2018), as SentencePiece does (Kudo and Richardson, 2018).

Count the distinct words (count.py), take every substring that comes again as a possible piece (unigram_seeds.py), and
leave away those that are missed least until the vocabulary has the size asked for (unigram_learn.py). The ids are laid
out as SentencePiece's: the unknown token, special tokens, 256 bytes, then the pieces, likeliest first. Whatever the
pieces cannot spell is written as bytes. Training on normalised text (NFKC) is left out; models trained so are read.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from hornbook.core.errors import UserError
from hornbook.text.bpe import Progress
from hornbook.text.plain import whole
from hornbook.text.pretokenize import BLOCK
from hornbook.text.sentencepiece_rules import Rules

if TYPE_CHECKING:
    from hornbook.text.tokenizer import Tokenizer
    from hornbook.text.unigram_tokenizer import UnigramTokenizer

UNKNOWN = "<unk>"
RULES = {
    "lossless": Rules(dummy_prefix=False, squeeze=False, marked=False),
    "sentencepiece": Rules(),
}


@dataclass(frozen=True, kw_only=True)
class Unigram:
    """A model of how likely each piece is; a text is cut in the likeliest way."""

    vocab: int = 8192
    """Number of ids: the unknown token, special tokens, 256 bytes, and the pieces."""
    rules: Literal["lossless", "sentencepiece"] = "lossless"
    """What is done to a text first: nothing at all, or spaces squeezed and marked and one put in front."""
    coverage: float = 0.9995
    """The share of the text's characters that get a piece of their own; the rarest others are written as bytes."""
    longest: int = 16
    """Characters of the longest piece."""
    special: tuple[str, ...] = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    """Tokens that no text can spell; the first ends a document, the others open and close a turn of chat."""

    def __post_init__(self) -> None:
        if not self.special or {"", UNKNOWN} & {*self.special} or len(set(self.special)) < len(self.special):
            raise ValueError(
                f"special: {list(self.special)} wants one or more distinct, non-empty tokens, the end first, "
                f"and none called {UNKNOWN}"
            )
        if not 0 < self.coverage <= 1:
            raise ValueError(f"coverage: {self.coverage} is no share; give more than 0 and at most 1")
        if self.longest < 2:
            raise ValueError(f"longest: {self.longest} leaves only characters; give 2 or more")
        if self.pieces < 1:
            raise ValueError(
                f"vocab: {self.vocab} has no room for {UNKNOWN}, 256 bytes, {len(self.special)} special tokens and a "
                f"piece; give {self.vocab - self.pieces + 1} or more"
            )

    @property
    def pieces(self) -> int:
        """How many pieces to learn, characters included."""
        return self.vocab - 256 - 1 - len(self.special)

    def train(
        self, texts: Iterable[str], *, processes: int | None = None, progress: Progress | None = None
    ) -> "UnigramTokenizer":
        """Learn a tokenizer from texts, read once; `processes` count words side by side and never change the result.

        A text too small for the vocabulary gives fewer ids than `vocab`: see `shortfall`.
        """
        from hornbook.text import unigram_learn, unigram_seeds  # numpy: only when somebody trains
        from hornbook.text.count import count_pieces

        tell = progress or (lambda _stage, _done: None)
        rules = RULES[self.rules]
        counts = count_pieces(
            texts,
            Words(rules),
            processes=processes or len(os.sched_getaffinity(0)),
            progress=lambda n: tell("count", n),
        )
        alphabet = [c for c in unigram_seeds.alphabet_of(counts, self.coverage) if c not in ("\0", *rules.never)]
        if not alphabet:
            raise UserError("corpus: no text to train a tokenizer on; check corpus.source and what its filters drop")
        if len(alphabet) > self.pieces:
            raise UserError(
                f"tokenizer.vocab: {self.vocab} has no room for the {len(alphabet)} characters that make up "
                f"{self.coverage:.2%} of the text; give {self.vocab - self.pieces + len(alphabet)} or more, or a "
                "smaller coverage"
            )
        model = unigram_seeds.seeds(unigram_seeds.words_of(counts, alphabet), self.longest, rules.space)
        return self._tokenizer(unigram_learn.learn(model, self.pieces, lambda n: tell("prune", n)), rules)

    def _tokenizer(self, learned: list[tuple[str, float]], rules: Rules) -> "UnigramTokenizer":
        """The table that SentencePiece would write, with scores that add up exactly: a tie is one in every program."""
        from hornbook.text.sentencepiece import BYTE_PIECES, Kind
        from hornbook.text.unigram_tokenizer import GRAIN, UnigramTokenizer

        names = [UNKNOWN, *self.special, *BYTE_PIECES]
        kinds = [Kind.UNKNOWN] + [Kind.CONTROL] * len(self.special) + [Kind.BYTE] * len(BYTE_PIECES)
        return UnigramTokenizer.from_pieces(
            [*names, *(piece for piece, _ in learned)],
            [*(0.0 for _ in names), *(round(score * GRAIN) / GRAIN for _, score in learned)],
            [*kinds, *(Kind.NORMAL for _ in learned)],
            rules=rules,
            end=self.special[0],
        )

    def shortfall(self, tokenizer: "Tokenizer") -> str:
        """What to tell the user when the text was too small for the vocabulary; empty when it was not."""
        if tokenizer.vocab >= self.vocab:
            return ""
        return (
            f"vocab: the text holds only {tokenizer.vocab} of the {self.vocab} ids asked for, since no other substring "
            f"of it is worth a piece; the tokenizer has vocab {tokenizer.vocab}, give it more text for more"
        )


@dataclass(frozen=True)
class Words:
    """A text's lines after the rules, cut into words that no piece reaches across."""

    rules: Rules

    def find(self, block: str) -> list[str]:
        """The words of a short text."""
        text = whole(block)
        if not self.rules.dummy_prefix:
            return [word for word in self._pattern.findall(self.rules.normalize(text)) if word]
        lines = map(self.rules.normalize, text.split("\n"))  # each is a text of its own, as SentencePiece reads files
        return [word for line in lines for word in self._pattern.findall(line) if word]

    def blocks(self, text: str, longest: int | None = None) -> Iterator[str]:
        """The text divided after line ends, after about BLOCK characters each; through a line only by force."""
        start = 0
        while start < len(text):
            place = text.find("\n", start + BLOCK, start + longest if longest else len(text))
            end = place + 1 if place >= 0 else min(start + longest, len(text)) if longest else len(text)
            yield text[start:end]
            start = end

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.rules.word)
