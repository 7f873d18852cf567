"""Gopher's repetition rules: a text that says the same lines, paragraphs or phrases over and over is no good.

Rae et al. 2021, table A1. A phrase is counted by its characters: the commonest one of 2 to 4 words, and those of 5 to
10 that came before, no word counted twice. In scripts without spaces n words are CHARACTERS_PER_WORD times n
characters. Phrases are numbers, so numpy sorts where others keep sets of joined strings; and phrases of 10 words lie
within repeated phrases of 5, so most texts need one look.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hornbook.corpus import lines as of_lines
from hornbook.corpus.filter import TextFilter, check_shares
from hornbook.corpus.signs import is_solid
from hornbook.corpus.words import CHARACTERS_PER_WORD, unspaced, words

LARGEST = 2**63  # what a number of a phrase may be
Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class GopherRepetition(TextFilter):
    """Drops what repeats itself; every threshold is a share, of the lines and paragraphs or of the characters."""

    name: ClassVar[str] = "gopher repetition"
    max_paragraphs: float = 0.3
    max_paragraph_characters: float = 0.2
    max_lines: float = 0.3
    max_line_characters: float = 0.2
    top_phrases: tuple[float, ...] = (0.20, 0.18, 0.16)
    """Of the commonest phrase of 2, 3, 4 words."""
    repeated_phrases: tuple[float, ...] = (0.15, 0.14, 0.13, 0.12, 0.11, 0.10)
    """Of all phrases of 5, 6, ... 10 words that came before."""

    def __post_init__(self) -> None:
        check_shares(self, "max_paragraphs", "max_paragraph_characters", "max_lines", "max_line_characters")

    def reasons(self, text: str) -> Iterator[str]:
        """Every rule that a text breaks."""
        if not text:
            yield "empty"
            return
        paragraphs = re.split(r"\n{2,}", text.strip())
        count, characters = of_lines.repeated(paragraphs)
        if count / len(paragraphs) > self.max_paragraphs:
            yield "repeated paragraphs"
        if characters / len(text) > self.max_paragraph_characters:
            yield "characters in repeated paragraphs"
        lines = re.split(r"\n+", text)
        count, characters = of_lines.repeated(lines)
        if count / len(lines) > self.max_lines:
            yield "repeated lines"
        if characters / len(text) > self.max_line_characters:
            yield "characters in repeated lines"
        yield from self._phrases(text)

    def _phrases(self, text: str) -> Iterator[str]:
        in_characters = unspaced(text)
        cut = [word for word in words(text) if not in_characters or is_solid(word)]
        phrases = Phrases.of(cut, spaced=not in_characters)
        for n, most in enumerate(self.top_phrases, 2):
            length, limit = in_words(n, in_characters), most * len(text)
            if phrases.top_at_most(length, in_words(2, in_characters)) > limit and phrases.top(length) > limit:
                yield f"one phrase of {n} words over and over"
        smallest = min(self.repeated_phrases, default=1.0) * len(text)
        for n, most in enumerate(self.repeated_phrases, 5):
            length = in_words(n, in_characters)
            if phrases.covered(length) <= smallest:
                return  # longer phrases cover less
            if phrases.repeated(length) > most * len(text):
                yield f"repeated phrases of {n} words"


def in_words(n: int, in_characters: bool) -> int:
    """How many items of `words` a phrase of n words has."""
    return math.ceil(n * CHARACTERS_PER_WORD) if in_characters else n


@dataclass(frozen=True)
class Numbered:
    """The phrases of a length: equal numbers, equal phrases."""

    numbers: Numbers
    """Of the phrase that begins at each word."""
    firsts: Numbers
    """Where each number comes first."""
    counts: Numbers
    """How often it comes."""

    @classmethod
    def of(cls, keys: Numbers) -> "Numbered":
        """Number some keys."""
        _, firsts, numbers, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        return cls(numbers, firsts, counts)


@dataclass
class Phrases:
    """The words of a text as numbers, and its phrases of any length as numbers too."""

    words: Numbers
    ends: Numbers
    """Characters of the words up to each, none for the spaces between them: one more than there are words."""
    spaced: bool
    _numbered: dict[int, "Numbered"] = field(default_factory=dict)

    @classmethod
    def of(cls, cut: list[str], *, spaced: bool) -> "Phrases":
        """Number the words in the order in which they come up."""
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        ids = np.fromiter(map(numbers.__getitem__, cut), np.int64, len(cut))
        ends = np.zeros(len(cut) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, cut), np.int64, len(cut)), out=ends[1:])
        return cls(ids, ends, spaced)

    def of_length(self, n: int) -> "Numbered":
        """The phrases of n words."""
        if n not in self._numbered:
            different, count = int(self.words.max(initial=0)) + 1, max(len(self.words) - n + 1, 0)
            if n == 1 or different**n < LARGEST:
                keys = np.zeros(count, np.int64)
                for i in range(n):
                    keys = keys * different + self.words[i : i + count]
            else:
                keys = self.of_length(n - 1).numbers[:count] * different + self.words[n - 1 :]
            self._numbered[n] = Numbered.of(keys)
        return self._numbered[n]

    def top_at_most(self, n: int, shorter: int) -> int:
        """No less than `top(n)`: the commonest phrase comes no oftener than the commonest of a shorter length."""
        if len(self.words) < n:
            return 0
        longest = int((self.ends[n:] - self.ends[:-n]).max()) + (n - 1) * self.spaced
        return int(self.of_length(shorter).counts.max()) * longest

    def top(self, n: int) -> int:
        """Characters that the commonest phrase takes in all; of equally common ones the first counts.

        A phrase that stands once counts too, as in datatrove, but not in scripts without spaces.
        """
        if len(self.words) < n:
            return 0
        phrases = self.of_length(n)
        most = int(phrases.counts.max())
        if most == 1 and not self.spaced:
            return 0
        first = int(phrases.firsts[phrases.counts == most].min())
        return most * (int(self.ends[first + n] - self.ends[first]) + (n - 1) * self.spaced)

    def covered(self, n: int) -> int:
        """Characters in any phrase that came before: at least what `repeated` counts, and found by sorting alone."""
        if len(self.words) < n:
            return 0
        phrases = self.of_length(n)
        again = np.ones(len(phrases.numbers), bool)
        again[phrases.firsts] = False
        edges = np.zeros(len(self.words) + 1, np.int64)
        edges[:-n][again] += 1
        edges[n:][again] -= 1
        return int(np.diff(self.ends)[np.cumsum(edges[:-1]) > 0].sum())

    def repeated(self, n: int) -> int:
        """Characters in phrases that came before, left to right, each word counted once."""
        seen: set[int] = set()
        characters = place = 0
        phrases = self.of_length(n).numbers.tolist()
        while place < len(phrases):
            if phrases[place] in seen:
                characters += int(self.ends[place + n] - self.ends[place])
                place += n
            else:
                seen.add(phrases[place])
                place += 1
        return characters
