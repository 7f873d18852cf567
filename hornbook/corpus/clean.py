"""The steps every corpus goes through: normalise, drop what is too short, drop exact copies.

Nothing here changes what a program means: indentation, tabs and blank lines stay. Near duplicates and quality filters
are not here.
"""

import hashlib
import re
import unicodedata
from dataclasses import replace

import numpy as np

from hornbook.corpus.document import Document, Result

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
RECENT = 1 << 16  # hashes held in a set before they are merged into the sorted array: 5 MB at most


class Normalise:
    """Unicode NFC, `\\n` line ends; byte order marks, NULs and lone surrogates go."""

    name = "normalise"

    def __call__(self, documents: list[Document]) -> Result:
        """Keep every document, most of them untouched."""
        result = Result([])
        for document in documents:
            text, reasons = normalise(document.text)
            if reasons:
                result.changed.append((document, ", ".join(reasons)))
                document = replace(document, text=text)
            result.kept.append(document)
        return result


def normalise(text: str) -> tuple[str, list[str]]:
    """The normal form of a text and what had to be done to it.

    >>> normalise("a\\r\\n\\tb")
    ('a\\n\\tb', ['line ends'])
    """
    reasons = []
    if text.startswith("\ufeff"):
        text = text[1:]
        reasons.append("byte order mark")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        reasons.append("line ends")
    if "\0" in text:
        text = text.replace("\0", "")
        reasons.append("NUL")
    if not text.isascii():
        if LONE_SURROGATE.search(text):  # JSON can carry them (`"\ud800"`), UTF-8 cannot
            text = LONE_SURROGATE.sub("\ufffd", text)
            reasons.append("lone surrogate")
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
            reasons.append("NFC")
    return text, reasons


class MinimumLength:
    """Drops texts that have too few characters, white space at the ends not counted."""

    name = "minimum length"

    def __init__(self, characters: int) -> None:
        self.characters = characters

    def __call__(self, documents: list[Document]) -> Result:
        """Keep the long enough."""
        result = Result([])
        for document in documents:
            length = len(document.text.strip())
            if length == 0:
                result.dropped.append((document, "empty"))
            elif length < self.characters:
                result.dropped.append((document, "too short"))
            else:
                result.kept.append(document)
        return result


class Deduplicate:
    """Drops a text that came before, whole and equal after normalisation.

    Eight bytes a document: the chance of a false match in 100 million documents is 3 in 10,000.
    """

    name = "deduplicate"

    def __init__(self) -> None:
        self.sorted = np.empty(0, dtype=np.uint64)
        self.recent: set[int] = set()

    def __call__(self, documents: list[Document]) -> Result:
        """Keep the first of every text."""
        result = Result([])
        hashes = [text_hash(document.text) for document in documents]
        old = self._in_sorted(np.array(hashes, dtype=np.uint64))
        for document, value, seen in zip(documents, hashes, old, strict=True):
            if seen or value in self.recent:
                result.dropped.append((document, "exact duplicate"))
            else:
                self.recent.add(value)
                result.kept.append(document)
        if len(self.recent) >= RECENT:
            self._merge()
        return result

    def _in_sorted(self, values: np.ndarray) -> np.ndarray:
        if not len(self.sorted):
            return np.zeros(len(values), dtype=bool)
        places = np.searchsorted(self.sorted, values).clip(max=len(self.sorted) - 1)
        found: np.ndarray = self.sorted[places] == values
        return found

    def _merge(self) -> None:
        fresh = np.fromiter(self.recent, dtype=np.uint64, count=len(self.recent))
        self.sorted = np.sort(np.concatenate([self.sorted, fresh]))
        self.recent.clear()


def text_hash(text: str) -> int:
    """64 bits that decide whether two texts are the same, and which split a text goes to."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
