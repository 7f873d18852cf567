"""FineWeb's three rules, found by looking at what separates good crawls from bad: they catch lists and menus.

Penedo et al. 2024, "The FineWeb Datasets", section 3.6; the fourth rule, lines for words is in their published code. In
scripts without spaces a line is short at 5 characters, and may end in a closing quote.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from hornbook.corpus import lines as of_lines
from hornbook.corpus.filter import TextFilter, check_shares
from hornbook.corpus.words import CHARACTERS_PER_WORD, UNSPACED, unspaced, words


@dataclass(frozen=True, kw_only=True)
class FineWeb(TextFilter):
    """Drops what has few finished lines, many short ones, or the same again."""

    name: ClassVar[str] = "fineweb"
    min_finished_lines: float = 0.12
    """Share of the lines that end in a sign that ends a sentence."""
    max_short_lines: float = 0.67
    """Share of the lines that are short."""
    short_line: int = 30
    """Characters of a short line, at most."""
    short_unspaced_line: int = 5
    """The same in scripts without spaces: a Chinese menu's entries have 2 to 5, lines of verse 6 and more."""
    max_repeated: float = 0.01
    """Share of the characters that are in lines that came before."""
    max_lines_per_word: float = 0.3

    def __post_init__(self) -> None:
        check_shares(self, "min_finished_lines", "max_short_lines", "max_repeated")

    def reasons(self, text: str) -> Iterator[str]:
        """Every rule that a text breaks."""
        every = text.split("\n")
        lines = [line for line in every if line.strip()]
        if not lines:
            yield "empty"
            return
        in_characters = unspaced(text)
        if of_lines.finished(lines, quotes=in_characters) / len(lines) < self.min_finished_lines:
            yield "few lines end a sentence"
        short = self.short_unspaced_line if in_characters else self.short_line
        if sum(len(line) <= short for line in lines) / len(lines) > self.max_short_lines:
            yield "mostly short lines"
        if of_lines.repeated(lines)[1] > self.max_repeated * (len(text) - len(every) + 1):
            yield "characters in repeated lines"
        if len(every) - 1 > self.max_lines_per_word * self._count(text, in_characters):
            yield "too many lines for its words"

    def _count(self, text: str, in_characters: bool) -> float:
        cut = words(text)
        if not in_characters:
            return len(cut)
        characters = sum(1 for word in cut if UNSPACED.match(word))
        return len(cut) - characters + characters / CHARACTERS_PER_WORD
