"""Rules for Chinese web pages, in characters: what is not Chinese, not in lines, without punctuation or repeats itself.

After ChineseWebText (Chen et al. 2023, section 3.2): 30 % Chinese characters, lines that are long on average, at most
half of the text in 13-grams of characters that came before. Text without punctuation is a list of keywords or a menu,
text of many signs is ornament; WuDao (Yuan et al. 2021) and MAP-CC (Du et al. 2024) have such rules, the numbers here
are ours: the classics, poems, answers and articles that were looked at lie far from them. Sensitive words are
bad_words.py.
"""

# ruff: noqa: RUF001 - Chinese signs are meant

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import regex

from hornbook.corpus.filter import TextFilter, check_shares
from hornbook.corpus.gopher_repetition import Phrases
from hornbook.corpus.lines import repeated

HAN = regex.compile(r"\p{Han}")
PUNCTUATION = regex.compile(r"[。，、；：？！,.;:?!…—“”‘’「」『』《》〈〉（）()·]")
SYMBOLS = regex.compile(r"[\p{S}\p{Co}\p{Cn}\ufffd]")
GRAM = 13  # characters; ChineseWebText


@dataclass(frozen=True, kw_only=True)
class ChineseQuality(TextFilter):
    """Drops what is not running Chinese text. White space counts nowhere."""

    name: ClassVar[str] = "chinese quality"
    min_characters: int = 50
    min_chinese: float = 0.3
    """Share of the characters that are Han."""
    min_mean_line: float = 6.0
    """Characters of the lines that are not empty, on average; ChineseWebText has 10, which drops verse."""
    min_punctuation: float = 0.02
    """Of the characters; running text has 0.1 to 0.2, a menu none."""
    max_punctuation: float = 0.4
    max_symbols: float = 0.1
    """Share of the characters that are ornaments, arrows, emoji, private or broken."""
    max_repeated_lines: float = 0.3
    """Share of the characters in lines that came before."""
    max_repeated_phrases: float = 0.5
    """Share of the characters in 13 that came before."""

    def __post_init__(self) -> None:
        shares = ("min_chinese", "min_punctuation", "max_punctuation", "max_symbols")
        check_shares(self, *shares, "max_repeated_lines", "max_repeated_phrases")

    def reasons(self, text: str) -> Iterator[str]:
        """Every rule that a text breaks."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        solid = "".join(text.split())
        total = len(solid)
        if total < max(self.min_characters, 1):
            yield "too few characters"
        if not total:
            return
        if len(HAN.findall(solid)) < self.min_chinese * total:
            yield "too little Chinese"
        if sum(map(len, lines)) < self.min_mean_line * len(lines):
            yield "lines too short"
        punctuation = len(PUNCTUATION.findall(solid))
        if punctuation < self.min_punctuation * total:
            yield "hardly any punctuation"
        if punctuation > self.max_punctuation * total:
            yield "mostly punctuation"
        if len(SYMBOLS.findall(solid)) > self.max_symbols * total:
            yield "too many symbols"
        if repeated(lines)[1] > self.max_repeated_lines * total:
            yield "characters in repeated lines"
        if Phrases.of(list(solid), spaced=False).covered(GRAM) > self.max_repeated_phrases * total:
            yield "repeats itself"
