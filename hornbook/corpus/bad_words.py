"""Bad words: documents with one go, all or a share of them, by a list for each language.

Raffel et al. 2020, section 2.2 (C4), with the "List of Dirty, Naughty, Obscene or Otherwise Bad Words"; the recipe
names the files, none ships with hornbook. The rule is known to take out text by and about minorities (Dodge et al.
2021): `keep` lets a share of it through. Which documents those are is decided by a hash of the text, so it is the same
in every run.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from hornbook.corpus.clean import text_hash
from hornbook.corpus.document import Document
from hornbook.corpus.filter import Filter, check_shares
from hornbook.corpus.language import script_language
from hornbook.corpus.word_lists import read_list
from hornbook.corpus.words import UNSPACED

WORD = re.compile(r"\w+")
HARMLESS = {"ja": {"sm", "グロ", "女の子"}, "zh": {"性"}}
"""On the lists but too common: each takes out over 10 % of its language (published code of C4)."""


@dataclass(frozen=True, kw_only=True)
class BadWords:
    """Drops documents in which a word of their language's list stands."""

    name: ClassVar[str] = "bad words"
    lists: Mapping[str, Path] = field(default_factory=dict)
    """Language (ISO 639-1) -> file of words."""
    language: str = "en"
    """Of documents of which neither `language` nor the script says it."""
    keep: float = 0.0
    """Share of the documents with bad words that is kept."""

    def __post_init__(self) -> None:
        check_shares(self, "keep")
        if not self.lists:
            raise ValueError("lists: no language has a list, so nothing would be dropped; name a file, `en: words.txt`")

    def build(self) -> "BadWordFilter":
        """Read the lists. Raises UserError where one cannot be read."""
        lists = {
            language: WordList.of(word.lower() for word in read_list(path) if word not in HARMLESS.get(language, ()))
            for language, path in self.lists.items()
        }
        return BadWordFilter(lists, self.language, self.keep)


@dataclass(frozen=True)
class WordList:
    """A list made for searching: single words by a set, phrases and words of unspaced scripts by an expression."""

    words: frozenset[str]
    phrases: re.Pattern[str] | None

    @classmethod
    def of(cls, listed: Iterable[str]) -> "WordList":
        """Words stand alone; where no spaces are written they may stand in the midst of others."""
        words, phrases = set(), []
        for word in listed:
            if UNSPACED.search(word):
                phrases.append(re.escape(word))
            elif WORD.fullmatch(word):
                words.add(word)
            else:
                phrases.append(rf"(?<!\w){re.escape(word)}(?!\w)")
        return cls(frozenset(words), re.compile("|".join(sorted(phrases))) if phrases else None)

    def found_in(self, text: str) -> bool:
        """Whether one of the words stands in a text.

        >>> [WordList.of(["ass", "up yours"]).found_in(text) for text in ("a grass ass!", "class", "So up yours.")]
        [True, False, True]
        """
        text = text.lower()
        if not self.words.isdisjoint(WORD.findall(text)):
            return True
        return self.phrases is not None and self.phrases.search(text) is not None


@dataclass(frozen=True)
class BadWordFilter(Filter):
    """The step, with its lists in memory."""

    name: ClassVar[str] = "bad words"
    lists: Mapping[str, WordList]
    language: str
    keep: float

    def reason(self, document: Document) -> str | None:
        """Whether a word of the list of the document's language is in it."""
        language = document.language or script_language(document.text)[0] or self.language
        listed = self.lists.get(language)
        if listed is None or not listed.found_in(document.text):
            return None
        lucky = text_hash(document.text) < self.keep * 2**64
        return None if lucky else "bad words"
