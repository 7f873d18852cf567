"""A block list of addresses: domains, and words in the address.

Penedo et al. 2023 (RefinedWeb), section 3.1 and appendix G.1. Lists come as files that the recipe names, one entry a
line (the UT1 block list of Toulouse is kept so); none ships with hornbook. A domain also blocks all that is below it. A
word counts where it stands between signs, a part anywhere, and soft words where there are several. Scores by weighted
words are left out: a count of soft words stands for them, as in datatrove.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from hornbook.corpus.document import Document
from hornbook.corpus.filter import Filter
from hornbook.corpus.word_lists import read_list

SIGNS = re.compile(r"[^a-zA-Z0-9]+")


@dataclass(frozen=True, kw_only=True)
class UrlBlockList:
    """Drops documents by where they come from; one without an address is kept."""

    name: ClassVar[str] = "url block list"
    domains: Path | None = None
    """File of host names: `example.com` blocks www.example.com as well."""
    words: Path | None = None
    """File of words of which one is enough."""
    parts: Path | None = None
    """File of parts of words; found in the address without its signs."""
    soft_words: Path | None = None
    """File of words that have to be there in number."""
    min_soft_words: int = 2

    def __post_init__(self) -> None:
        if not (self.domains or self.words or self.parts or self.soft_words):
            raise ValueError("domains: no list is named, so nothing would be blocked; name a file")
        if self.min_soft_words < 1:
            raise ValueError(f"min_soft_words: {self.min_soft_words} would block every address; give 1 or more")

    def build(self) -> "UrlFilter":
        """Read the lists. Raises UserError where one cannot be read."""
        domains = frozenset(entry.lower().strip(".") for entry in _entries(self.domains))
        words, parts, soft = (
            frozenset(SIGNS.sub("", entry).lower() for entry in _entries(path)) - {""}
            for path in (self.words, self.parts, self.soft_words)
        )
        part = re.compile("|".join(map(re.escape, sorted(parts)))) if parts else None
        return UrlFilter(domains, words, part, soft, self.min_soft_words)


def _entries(path: Path | None) -> tuple[str, ...]:
    return () if path is None else read_list(path)


@dataclass(frozen=True)
class UrlFilter(Filter):
    """The step, with its lists in memory."""

    name: ClassVar[str] = "url block list"
    domains: frozenset[str]
    words: frozenset[str]
    part: re.Pattern[str] | None
    soft_words: frozenset[str]
    min_soft_words: int

    def reason(self, document: Document) -> str | None:
        """Whether the domain or a word is on a list."""
        if not document.url:
            return None
        url = document.url.lower()
        if self._blocked(host(url)):
            return "blocked domain"
        found = set(SIGNS.split(url))
        if found & self.words:
            return "blocked word in the address"
        if len(found & self.soft_words) >= self.min_soft_words:
            return "several suspicious words in the address"
        if self.part and self.part.search(SIGNS.sub("", url)):
            return "blocked part of a word in the address"
        return None

    def _blocked(self, name: str) -> bool:
        labels = name.split(".")
        return any(".".join(labels[first:]) in self.domains for first in range(len(labels)))


def host(url: str) -> str:
    """The host of an address, with or without a scheme.

    >>> host("https://user@www.example.com:80/a"), host("example.com/a")
    ('www.example.com', 'example.com')
    """
    try:
        return (urlsplit(url if "//" in url else f"//{url}").hostname or "").strip(".")
    except ValueError:  # `http://[::1`: the words are still looked at
        return ""
