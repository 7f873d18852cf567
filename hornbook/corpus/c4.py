"""C4's rules: keep the lines that are sentences, drop the page that has few of them, and mC4's rule of paragraphs.

Raffel et al. 2020, section 2.2 (C4); Xue et al. 2021, section 3.1 (mC4); the policy lines, the citations and the 1,000
characters of a word are in their published code. The bad words are a step of their own (bad_words.py), the language too
(language.py), and repeated spans of three sentences are left out. Lines of scripts without spaces are counted in
characters, may end in any sign that ends a sentence or in a closing quote, and have no longest word.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

from hornbook.corpus.document import Document, Result, Step
from hornbook.corpus.filter import Filter
from hornbook.corpus.lines import CLOSING_QUOTES
from hornbook.corpus.words import CHARACTERS_PER_WORD, TERMINAL, UNSPACED, sentences, unspaced, words

CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
FINISHED = (".", "?", "!", '"', "'")
POLICIES = re.compile("terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies")


@dataclass(frozen=True, kw_only=True)
class C4:
    """Takes lines out that are no sentences; drops what has too few left, a curly bracket or lorem ipsum."""

    name: ClassVar[str] = "c4"
    min_sentences: int = 5
    """After the lines are gone; 0 keeps every page."""
    min_line_words: int = 3
    max_word_length: int = 1_000
    """Characters; a line with a longer word goes."""
    unfinished_lines: bool = False
    """Keep lines that do not end a sentence, as FineWeb does: the rule costs 30 % of the words."""
    curly_brackets: bool = False
    """Keep pages that have one: they are code as often as broken pages."""

    def __post_init__(self) -> None:
        if self.min_sentences < 0:
            raise ValueError(f"min_sentences: {self.min_sentences} is below zero; 0 keeps every page")

    def build(self) -> Step:
        return self

    def __call__(self, documents: list[Document]) -> Result:
        """A document is kept with fewer lines, or dropped."""
        result = Result([])
        for document in documents:
            text, dropped, lines = self.judge(document.text)
            if dropped:
                result.dropped.append((document, dropped))
                continue
            if text != document.text:
                result.changed.append((document, lines))
                document = replace(document, text=text)
            result.kept.append(document)
        return result

    def judge(self, text: str) -> tuple[str, str | None, str]:
        """The lines that stay, why the document is dropped if it is, and why most of the lines went.

        >>> C4(min_sentences=1).judge("Home | News\\nThe cat sat on the mat.[1]\\nTerms of use apply to all of it.")
        ('The cat sat on the mat.', None, 'lines do not end a sentence')
        """
        kept: list[str] = []
        reasons: Counter[str] = Counter()
        count = 0
        for line in text.splitlines():
            line, reason = self._line(line.strip())
            if not reason and (whole := self._page(line.lower())):
                return text, whole, ""
            reason = reason or _boilerplate(line.lower())
            if reason:
                reasons[reason] += 1
                continue
            if count < self.min_sentences:
                count += sentences(words(line), self.min_sentences)
            kept.append(line)
        why = max(reasons, key=reasons.__getitem__, default="white space and citations")
        return "\n".join(kept).strip(), "too few sentences" if count < self.min_sentences else None, why

    def _line(self, line: str) -> tuple[str, str | None]:
        """A line without citations, and why it is no sentence."""
        pieces = line.split()
        in_characters = unspaced(line)
        if len(line) > self.max_word_length and not in_characters and max(map(len, pieces)) > self.max_word_length:
            return line, "lines with a huge word"
        line = CITATION.sub("", line)
        if not self.unfinished_lines and not _finished(line, in_characters):
            return line, "lines do not end a sentence"
        count = len(UNSPACED.findall(line)) / CHARACTERS_PER_WORD if in_characters else len(pieces)
        return line, "lines of few words" if count < self.min_line_words else None

    def _page(self, line: str) -> str | None:
        """Why a line in lower case is the end of its page."""
        if "lorem ipsum" in line:
            return "lorem ipsum"
        if "{" in line and not self.curly_brackets and "javascript" not in line:  # that line goes, the page may stay
            return "curly bracket"
        return None


def _finished(line: str, in_characters: bool) -> bool:
    if in_characters and (line[-1:] in TERMINAL or line[-1:] in CLOSING_QUOTES):
        return True
    return line.endswith(FINISHED) and not line.endswith("...")


def _boilerplate(line: str) -> str | None:
    if "javascript" in line:
        return "lines about javascript"
    return "lines about policies" if POLICIES.search(line) else None


@dataclass(frozen=True, kw_only=True)
class C4Paragraphs(Filter):
    """Drops a page that has too few long lines."""

    name: ClassVar[str] = "c4 paragraphs"
    min_paragraphs: int = 3
    min_characters: int = 200
    """Of a paragraph that counts."""
    min_unspaced_characters: int = 67
    """The same in scripts without spaces: 200 letters of English are 45 words, 67 characters of Chinese."""

    def reason(self, document: Document) -> str | None:
        """Whether enough lines are paragraphs."""
        length = self.min_unspaced_characters if unspaced(document.text) else self.min_characters
        paragraphs = sum(len(line) >= length for line in document.text.split("\n"))
        return "too few paragraphs" if paragraphs < self.min_paragraphs else None
