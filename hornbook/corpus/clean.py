"""The steps every corpus goes through: normalise, drop what is too short. (Copies: exact.py.)

Nothing here changes what a program means: indentation, tabs and blank lines stay.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import ClassVar

from hornbook.corpus.document import Document, Result, Step

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Normalise:
    """Unicode NFC, `\\n` line ends; byte order marks, NULs and lone surrogates go."""

    name: ClassVar[str] = "normalise"

    def build(self) -> Step:
        return self

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


@dataclass(frozen=True, kw_only=True)
class MinimumLength:
    """Drops texts that have too few characters, white space at the ends not counted."""

    name: ClassVar[str] = "minimum length"
    characters: int = 16

    def __post_init__(self) -> None:
        if self.characters < 0:
            raise ValueError(f"characters: {self.characters} is below zero; 0 keeps every text")

    def build(self) -> Step:
        return self

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


def text_hash(text: str) -> int:
    """64 bits that decide whether two texts are the same, and which split a text goes to."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
