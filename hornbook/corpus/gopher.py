"""Gopher's quality rules: what is too short, too long, not in words or mostly list is no prose.

Rae et al. 2021, "Scaling Language Models: Methods, Analysis & Insights from Training Gopher", section A1.1; where the
paper leaves a choice it is datatrove's. The rule about stop words is for English unless a recipe names others. Texts of
scripts without spaces are counted in characters; their mean word length and stop words say nothing and are not tested.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from hornbook.corpus import lines as of_lines
from hornbook.corpus.filter import TextFilter, check_shares
from hornbook.corpus.signs import has_letter, is_solid
from hornbook.corpus.words import CHARACTERS_PER_WORD, UNSPACED, unspaced, words

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")  # the paper's eight


@dataclass(frozen=True, kw_only=True)
class GopherQuality(TextFilter):
    """Drops what is not written in words and sentences."""

    name: ClassVar[str] = "gopher quality"
    min_words: int = 50
    max_words: int = 100_000
    min_mean_length: float = 3.0
    """Characters a word, of words that are not signs alone."""
    max_mean_length: float = 10.0
    max_hashes: float = 0.1
    """`#` for every word, signs counted as words."""
    max_ellipses: float = 0.1
    """`...` and `…` for every word."""
    max_bullet_lines: float = 0.9
    """Share of the lines that begin with a bullet."""
    max_ellipsis_lines: float = 0.3
    """Share of the lines that end in an ellipsis."""
    min_lettered: float = 0.8
    """Share of the words that have a letter; in scripts without spaces signs are left out of both."""
    min_stop_words: int = 2
    """How many different ones a text has to have."""
    stop_words: tuple[str, ...] = STOP_WORDS

    def __post_init__(self) -> None:
        check_shares(self, "max_hashes", "max_ellipses", "max_bullet_lines", "max_ellipsis_lines", "min_lettered")
        if self.min_words > self.max_words:
            raise ValueError(f"min_words: {self.min_words} is above max_words {self.max_words}; no text is between")
        if self.min_stop_words > len(set(self.stop_words)):
            raise ValueError(
                f"min_stop_words: {self.min_stop_words} of {len(set(self.stop_words))} stop words; list more"
            )

    def reasons(self, text: str) -> Iterator[str]:
        """Every rule that a text breaks."""
        cut = words(text)
        in_characters = unspaced(text)
        solid = [word for word in cut if word.isalnum() or is_solid(word)]
        yield from self._lengths(solid, in_characters)
        yield from self._signs(text, len(solid) if in_characters else len(cut))
        yield from self._lines(text, in_characters)
        counted = solid if in_characters else cut
        needed = self.min_lettered * len(counted)
        if sum(map(str.isalpha, counted)) < needed and sum(map(has_letter, counted)) < needed:  # the quick look first
            yield "too few words with letters"
        if not in_characters and len(set(self.stop_words).intersection(cut)) < self.min_stop_words:
            yield "too few stop words"

    def _lengths(self, solid: list[str], in_characters: bool) -> Iterator[str]:
        count: float = len(solid)
        if in_characters:
            characters = sum(1 for word in solid if UNSPACED.match(word))
            count += characters / CHARACTERS_PER_WORD - characters
        if count < self.min_words:
            yield "too few words"
        if count > self.max_words:
            yield "too many words"
        if not in_characters and solid:
            mean = sum(map(len, solid)) / len(solid)
            if mean < self.min_mean_length:
                yield "words too short"
            if mean > self.max_mean_length:
                yield "words too long"

    def _signs(self, text: str, count: int) -> Iterator[str]:
        if text.count("#") > self.max_hashes * count:
            yield "too many hashes"
        if text.count("...") + text.count("…") > self.max_ellipses * count:
            yield "too many ellipses"

    def _lines(self, text: str, in_characters: bool) -> Iterator[str]:
        lines = text.splitlines()
        bullets = of_lines.UNSPACED_BULLETS if in_characters else of_lines.BULLETS
        if of_lines.share(of_lines.bulleted(lines, bullets), lines) > self.max_bullet_lines:
            yield "mostly bullets"
        if of_lines.share(of_lines.trailing_off(lines), lines) > self.max_ellipsis_lines:
            yield "lines end in ellipses"
