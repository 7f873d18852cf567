"""Texts to numbers that can be compared: a hash for every word, and for every few words that follow each other.

A word is a run of letters, marks and digits in lower case; of scripts that put no spaces between words (Chinese,
Japanese, Thai, ...) every character is a word. Hashes are polynomials modulo 2**64 (Karp and Rabin 1987): with running
sums the hash of any stretch is one subtraction and one product, so a batch is a few passes of numpy over its
characters, whatever the length of words and shingles.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from hornbook.corpus.scans import Hashes, Places

TILE = 1 << 17  # characters or words hashed at once: their 1 MB of sums stay in the processor's cache
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
LETTERS, WORDS = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03  # bases of the two polynomials: odd, all bits in use
IN_WORD, ALONE = 1, 2


class Tokens(NamedTuple):
    """The words of some texts, one after the other; those of text i are `offsets[i]` to `offsets[i + 1]`."""

    hashes: Hashes
    offsets: Places


class Spans(NamedTuple):
    """The words of one text and where in it they begin and end."""

    hashes: Hashes
    starts: Places
    ends: Places


def tokens(texts: Sequence[str]) -> Tokens:
    """The words of some texts.

    >>> hashes, offsets = tokens(["Don't stop", "stop; don T", "学而 stop"])
    >>> bool((hashes[:3] == hashes[[4, 5, 3]]).all()), offsets.tolist()
    (True, [0, 3, 6, 9])
    """
    found, counts = [np.empty(0, np.uint64)], np.zeros(len(texts) + 1, np.int64)
    for first, last, text in _groups(texts):
        words = spans(text)
        found.append(words.hashes)
        lengths = np.array([len(each) + 1 for each in texts[first:last]])
        borders = np.searchsorted(words.starts, np.cumsum(lengths[:-1]))
        counts[first + 1 : last + 1] = np.diff(borders, prepend=0, append=len(words.starts))
    return Tokens(np.concatenate(found), np.cumsum(counts))


def _groups(texts: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Neighbouring texts joined up to the size of a tile (first, last, text); a longer one comes alone."""
    first = size = 0
    for place, text in enumerate(texts):
        if place > first and size + len(text) >= TILE:
            yield first, place, "\n".join(texts[first:place])
            first, size = place, 0
        size += len(text) + 1
    if first < len(texts):
        yield first, len(texts), "\n".join(texts[first:])


def spans(text: str) -> Spans:
    """The words of a text with their places."""
    lowered, start = lower(text), 0
    parts: list[Spans] = []
    while start < len(lowered) or not parts:
        end = _cut(lowered, start)
        hashes, starts, ends = _tile(lowered[start:end])
        parts.append(Spans(hashes, starts + start, ends + start))
        start = end
    return Spans(*map(np.concatenate, zip(*parts, strict=True)))


def lower(text: str) -> str:
    """Lower case, every character in its place.

    >>> lower("ÀB"), lower("Çİ")
    ('àb', 'çİ')
    """
    lowered = text.lower()
    if len(lowered) != len(text):  # only a dotted capital I becomes two characters
        lowered = "".join(small if len(small := char.lower()) == 1 else char for char in text)
    return lowered


def _cut(text: str, start: int) -> int:
    """Where a tile ends: at white space if there is some, so that no word of usual length is cut in two."""
    end = start + TILE
    if end >= len(text):
        return len(text)
    return max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end)) + 1 or end


def _tile(text: str) -> Spans:
    """The words of a text no longer than a tile."""
    if text.isascii():
        codes: NDArray[np.integer] = np.frombuffer(text.encode(), np.uint8)
    else:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _kinds()[codes]
    letter = np.zeros(len(codes) + 2, bool)
    np.equal(kinds, IN_WORD, out=letter[1:-1])
    flips = np.flatnonzero(letter[1:] != letter[:-1])
    starts, ends = flips[::2], flips[1::2]
    if not text.isascii() and len(alone := np.flatnonzero(kinds == ALONE)):
        order = np.argsort(np.concatenate([starts, alone]), kind="stable")
        starts, ends = np.concatenate([starts, alone])[order], np.concatenate([ends, alone + 1])[order]
    return Spans(_stretches(codes, LETTERS, starts, ends), starts, ends)


@cache
def _kinds() -> NDArray[np.uint8]:
    """Of every character, whether it is part of a word, a word by itself, or neither (0)."""
    kinds = np.zeros(0x110000, np.uint8)
    everything = "".join(map(chr, range(len(kinds))))
    for kind, pattern in ((IN_WORD, r"[\p{L}\p{M}\p{N}]+"), (ALONE, rf"[[{UNSPACED}]&&[\p{{L}}\p{{M}}\p{{N}}]]+")):
        for match in regex.finditer(pattern, everything, regex.VERSION1):
            kinds[match.start() : match.end()] = kind
    return kinds


def shingles(words: Tokens, size: int, *, short: bool) -> Tokens:
    """A hash for every `size` words of a text that follow each other; `short`: a shorter text counts as one shingle.

    >>> shingles(tokens(["a rose is a rose", "is a rose"]), 3, short=False).offsets.tolist()
    [0, 3, 4]
    """
    hashes, offsets = words
    lengths = np.diff(offsets)
    counts = np.maximum(lengths - size + 1, (lengths > 0) & short)
    first = np.repeat(offsets[:-1] - np.cumsum(counts) + counts, counts)
    starts = first + np.arange(len(first))
    ends = np.minimum(starts + size, np.repeat(offsets[1:], counts))
    found = np.empty(len(starts), np.uint64)
    for tile in range(0, len(hashes), TILE):
        a, b = np.searchsorted(starts, [tile, tile + TILE])
        stretch = hashes[tile : tile + TILE + size]
        found[a:b] = _stretches(stretch, WORDS, starts[a:b] - tile, ends[a:b] - tile)
    return Tokens(mixed(found), np.concatenate([[0], np.cumsum(counts)]))


def _stretches(values: NDArray[np.integer], base: int, starts: Places, ends: Places) -> Hashes:
    """The sums of `values[i] * base**(i - start)` from each start to its end."""
    powers, inverses = _powers(base, 1 << max(len(values), TILE).bit_length())
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * powers[: len(values)], out=sums[1:])
    stretches: Hashes = (sums[ends] - sums[starts]) * inverses[starts]
    return stretches


@cache
def _powers(base: int, count: int) -> tuple[Hashes, Hashes]:
    """The powers of a number and of its inverse, modulo 2**64."""
    both = []
    for number in (base, pow(base, -1, 2**64)):
        factors = np.full(count, number, np.uint64)
        factors[0] = 1
        both.append(np.cumprod(factors))
    return both[0], both[1]


def mixed(hashes: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the hash (the finaliser of MurmurHash3)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))
