"""MinHash: few numbers from which one sees how many shingles two texts share, without comparing the texts.

Broder 1997. Under a random order of all shingles the first one of two texts is the same with a probability that is
their Jaccard similarity. An order is `shingle * odd` modulo 2**32: shingles are hashes, so each is as likely as any
other to be the smallest. `rows` such minima make a band, and texts that share a whole band of any are compared
(locality-sensitive hashing): with similarity s that happens with probability 1 - (1 - s**rows)**bands.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hornbook.corpus.scans import Hashes, Places
from hornbook.corpus.shingles import Tokens, mixed

RECALL = 0.98  # of pairs just at the threshold shall share a band
SEED = 1997
TILE = 1 << 15  # shingles whose minima are taken at once: 128 KB, they stay in the processor's second cache

Short = NDArray[np.uint32]


class Bands(NamedTuple):
    """How minima are grouped."""

    bands: int
    rows: int

    def probability(self, similarity: float) -> float:
        """That two texts of this similarity share a band.

        >>> [round(Bands(18, 7).probability(s), 3) for s in (0.5, 0.6, 0.7, 0.8, 0.9)]
        [0.132, 0.4, 0.787, 0.986, 1.0]
        """
        return float(1 - (1 - similarity**self.rows) ** self.bands)


def bands(threshold: float, permutations: int) -> Bands:
    """The longest bands, so the fewest vain comparisons, with which hardly a pair at the threshold is missed.

    >>> bands(0.8, 128), bands(0.5, 128)
    (Bands(bands=18, rows=7), Bands(bands=42, rows=3))
    """
    for rows in range(permutations, 1, -1):
        found = Bands(permutations // rows, rows)
        if found.probability(threshold) >= RECALL:
            return found
    return Bands(permutations, 1)


def band_hashes(shingles: Tokens, form: Bands) -> Hashes:
    """One number a band and text (bands, texts); texts that share it share the band. 0 for a text without shingles."""
    factors = np.random.default_rng(SEED).integers(0, 2**31, form.bands * form.rows, np.uint32) * np.uint32(2) + 1
    result = np.zeros((form.bands, len(shingles.offsets) - 1), np.uint64)
    for texts, starts, values in _tiles(shingles):
        buffer = np.empty_like(values)
        for band in range(form.bands):
            together = np.zeros(len(starts), np.uint64)
            for factor in factors[band * form.rows : (band + 1) * form.rows]:
                minima = np.minimum.reduceat(np.multiply(values, factor, out=buffer), starts)
                together = mixed(together + minima)
            result[band, texts] = together
    return result


def sketches(shingles: Tokens, size: int | None) -> tuple[Short, Places]:
    """The smallest shingles of every text (all of them where `size` is None), in order, and where each text's end.

    A sample of the shingles that is the same for all texts: Broder's other sketch. Of two texts with no more shingles
    than `size` it gives the exact similarity.
    """
    found, counts = [np.empty(0, np.uint32)], np.zeros(len(shingles.offsets) - 1, np.int64)
    for texts, starts, values in _tiles(shingles):
        lengths = np.diff(starts, append=len(values))
        keys = np.repeat(np.arange(len(starts), dtype=np.uint64) << np.uint64(32), lengths) | values
        keys.sort()
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        lengths = np.bincount(keys >> np.uint64(32), minlength=len(starts))
        if size is not None:
            ranks = np.arange(len(keys)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            keys, lengths = keys[ranks < size], np.minimum(lengths, size)
        found.append(keys.astype(np.uint32))
        counts[texts] = lengths
    return np.concatenate(found), np.concatenate([[0], np.cumsum(counts)])


def _tiles(shingles: Tokens) -> Iterator[tuple[Places, Places, Short]]:
    """Texts that have shingles, some at a time: their numbers, where the shingles of each begin, the shingles."""
    hashes, offsets = shingles
    texts = np.flatnonzero(np.diff(offsets))
    tile = offsets[texts] // TILE
    for group in np.split(texts, np.flatnonzero(np.diff(tile)) + 1) if len(texts) else ():
        start, end = offsets[group[0]], offsets[group[-1] + 1]
        yield group, offsets[group] - start, (hashes[start:end] >> np.uint64(32)).astype(np.uint32)


def similarities(ours: tuple[Short, Places], theirs: tuple[Short, Places], size: int | None) -> NDArray[np.float64]:
    """The Jaccard similarity of each sketch with the one at the same place: of the smallest of both, the shared part.

    >>> a = np.array([1, 3, 5], np.uint32), np.array([0, 3])
    >>> b = np.array([3, 5, 9], np.uint32), np.array([0, 3])
    >>> similarities(a, b, None).tolist(), similarities(a, b, 3).tolist()
    ([0.5], [0.6666666666666666])
    """
    sizes = np.diff(ours[1]), np.diff(theirs[1])
    pairs = np.arange(len(sizes[0]), dtype=np.uint64)
    numbers = np.concatenate([np.repeat(pairs, sizes[0]), np.repeat(pairs, sizes[1])])
    keys = (numbers << np.uint64(32)) | np.concatenate([ours[0], theirs[0]])
    keys.sort()
    new = np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]
    shared = np.append(~new[1:], False)[new] if len(keys) else new
    pair = (keys[new] >> np.uint64(32)).astype(np.int64)
    if size is not None:  # one that is full says nothing of what lies beyond its last shingle
        counts = np.bincount(pair, minlength=len(pairs))
        ranks = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
        full = np.maximum(*sizes) >= size
        seen = (ranks < size) | ~full[pair]
        pair, shared = pair[seen], shared[seen]
    union = np.bincount(pair, minlength=len(pairs))
    both = np.bincount(pair, weights=shared, minlength=len(pairs))
    return np.divide(both, union, out=np.zeros(len(pairs)), where=union > 0)
