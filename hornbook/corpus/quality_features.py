"""A text as the features by which its quality is judged: hashed n-grams of words and of characters.

Words are those of shingles.py (characters where a script has no spaces), one and two in a row; characters are in lower
case with all white space alike, three and four in a row: they know endings and garbled words that were never seen. A
feature is the number of a bucket (Weinberger et al. 2009, "Feature Hashing"), its value grows with the logarithm of how
often it occurs, and all values of a text have length 1, so that long texts are not better for being long.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hornbook.corpus import shingles
from hornbook.corpus.scans import Hashes

BITS = 18  # 262,144 buckets, a weight of 4 bytes each: a model is 1 MB
BUCKETS = 1 << BITS
WORDS, CHARACTERS = (1, 2), (3, 4)
MOST_CHARACTERS = 1 << 17  # of a text that are looked at: a long book is judged by its first hundred pages
BASE = np.uint64(0x9FB21C651E98DF25)  # of the hash of characters: odd, all bits in use

Floats = NDArray[np.float64]


class Matrix(NamedTuple):
    """The features of some texts, those of text i at `offsets[i]` to `offsets[i + 1]`."""

    buckets: NDArray[np.int64]
    values: Floats
    offsets: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """The text that each feature belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def times(self, weights: Floats) -> Floats:
        """The sum of every text's values, weighted."""
        weighted = self.values * weights[self.buckets]
        return np.bincount(self.rows, weighted, len(self.offsets) - 1).astype(np.float64)


def matrix(texts: Sequence[str]) -> Matrix:
    """The features of some texts."""
    buckets, values, lengths = [np.empty(0, np.int64)], [np.empty(0)], [0]
    for text in texts:
        found, counts = np.unique(_hashes(text) >> np.uint64(64 - BITS), return_counts=True)
        weights = 1 + np.log(counts)
        buckets.append(found.astype(np.int64))
        values.append(weights / (np.linalg.norm(weights) or 1.0))
        lengths.append(len(found))
    return Matrix(np.concatenate(buckets), np.concatenate(values), np.cumsum(lengths))


def _hashes(text: str) -> Hashes:
    """A hash for every n-gram of a text."""
    text = text[:MOST_CHARACTERS]
    words = shingles.tokens([text])
    found = [shingles.shingles(words, size, short=False).hashes for size in WORDS]
    plain = " ".join(shingles.lower(text).split())
    codes = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    for size in CHARACTERS:
        rolling = np.zeros(max(0, len(codes) - size + 1), np.uint64)
        for place in range(size):
            rolling = rolling * BASE + codes[place : place + len(rolling)]
        found.append(shingles.mixed(rolling ^ np.uint64(size)))
    return np.concatenate(found)
