"""An evaluation set as the n-grams by which its items are known, and where some texts have them.

Words are compared without case, signs and spaces, and full-width or other compatible forms of a character as the plain
one (shingles.py); in scripts without spaces characters take the place of words, CHARACTERS_PER_WORD for each. An item
with no passage as long as an n-gram is known by its longest passage as a whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from hornbook.corpus import shingles
from hornbook.corpus.evaluation_items import Item
from hornbook.corpus.scans import Hashes, Places
from hornbook.corpus.words import CHARACTERS_PER_WORD, unspaced

SPARSE = 4  # bits that the table has more than the n-grams need: 1 of 16 entries is taken


class Hits(NamedTuple):
    """Where texts have n-grams of an evaluation set: sides of equal length, a row a hit."""

    texts: Places
    grams: Places
    """Numbers of n-grams, as in `EvaluationSet.grams`."""
    starts: Places
    """First word of the hit, counted over all texts."""
    lengths: Places
    """In words."""


class EvaluationSet:
    """Items, their n-grams in order, and which item has which."""

    def __init__(self, items: Iterable[Item], words: int, shortest: int) -> None:
        self.items, found = [], []
        for item in items:
            self.items.append(replace(item, passages=()))  # the texts are of no more use
            found.append(_grams(item, words, shortest))
        owners = np.repeat(np.arange(len(found)), [len(hashes) for hashes, _ in found])
        hashes = np.concatenate([np.empty(0, np.uint64), *(hashes for hashes, _ in found)])
        self.lengths = sorted({length for _, lengths in found for length in lengths})
        self.grams, numbers = np.unique(hashes, return_inverse=True)
        order = np.argsort(numbers, kind="stable")
        self._owners, self._begins = owners[order], np.searchsorted(numbers[order], np.arange(len(self.grams) + 1))
        self.sizes = np.bincount(owners, minlength=len(self.items))
        """N-grams of each item; 0: it is too short to be looked for."""
        self._shift = np.uint64(64 - len(self.grams).bit_length() - SPARSE)
        self._taken = np.zeros(1 << (64 - int(self._shift)), bool)
        self._taken[self.grams >> self._shift] = True

    def owners(self, grams: Places) -> Places:
        """The items that have some n-grams, once for each of them."""
        counts = self._begins[grams + 1] - self._begins[grams]
        ends = np.cumsum(counts)
        owners: Places = self._owners[np.arange(counts.sum()) + np.repeat(self._begins[grams] - ends + counts, counts)]
        return owners

    def count(self, flags: NDArray[np.bool_]) -> Places:
        """For each item, how many of its n-grams are flagged."""
        return np.bincount(self.owners(np.flatnonzero(flags)), minlength=len(self.items))

    def hits(self, words: shingles.Tokens) -> Hits:
        """Where some texts have n-grams of this set."""
        parts = [Hits(*([np.empty(0, np.int64)] * 4))]
        for length in self.lengths:
            found = shingles.shingles(words, length, short=False)
            places = np.flatnonzero(self._taken[found.hashes >> self._shift])
            grams = np.searchsorted(self.grams, found.hashes[places])
            there = self.grams[np.minimum(grams, len(self.grams) - 1)] == found.hashes[places]
            places, grams = places[there], grams[there]
            texts = np.searchsorted(found.offsets, places, side="right") - 1
            starts = places - found.offsets[texts] + words.offsets[texts]
            parts.append(Hits(texts, grams, starts, np.full(len(places), length)))
        return Hits(*map(np.concatenate, zip(*parts, strict=True)))


def _grams(item: Item, words: int, shortest: int) -> tuple[Hashes, list[int]]:
    """The n-grams by which an item is known, and how long they are."""
    hashes, whole, longest = [np.empty(0, np.uint64)], 0, ""
    lengths: set[int] = set()
    for passage in map(plain, item.passages):
        tokens = shingles.tokens([passage])
        length = in_characters(words) if unspaced(passage) else words
        if (count := len(tokens.hashes)) >= length:
            hashes.append(shingles.shingles(tokens, length, short=False).hashes)
            lengths.add(length)
        elif count > whole:
            whole, longest = count, passage
    if not lengths and whole >= (in_characters(shortest) if unspaced(longest) else shortest):
        hashes.append(shingles.shingles(shingles.tokens([longest]), whole, short=False).hashes)
        lengths.add(whole)
    return np.unique(np.concatenate(hashes)), sorted(lengths)


def in_characters(words: int) -> int:
    """As many characters as some words have in Chinese.

    >>> in_characters(13), in_characters(8)
    (20, 12)
    """
    return round(words * CHARACTERS_PER_WORD)


def tokens(texts: Sequence[str]) -> shingles.Tokens:
    """The words of some texts as they are compared."""
    return shingles.tokens([plain(text) for text in texts])


def plain(text: str) -> str:
    r"""A text with the plain form of every character that has one (NFKC), all in their places.

    >>> plain("\uff27\uff30\uff34-2 \u2f64①")
    'GPT-2 用1'
    """
    if text.isascii():
        return text
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return _forms()[codes].tobytes().decode("utf-32-le", "surrogatepass")


@cache
def _forms() -> NDArray[np.uint32]:
    """Of every character the one it stands for; itself where that is several."""
    forms = np.arange(0x110000, dtype=np.uint32)
    for code in range(0x80, 0x32000):  # no character above has a plain form but rare ideographs
        form = normalize("NFKC", chr(code))
        if len(form) == 1:
            forms[code] = ord(form)
    return forms
