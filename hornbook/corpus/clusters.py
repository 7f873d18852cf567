"""Groups of numbers that belong together: union-find in two arrays, and the pairs worth a comparison."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hornbook.corpus.scans import Hashes, Places, same

NEIGHBOURS = 32  # of equal hashes that are compared with each, besides the first; more only where thousands are equal


class Clusters:
    """Which numbers below `size` belong together; the smallest stands for all (8 bytes of memory a number)."""

    def __init__(self, size: int) -> None:
        self.parents = np.arange(size)

    def roots(self, places: Places) -> Places:
        """The smallest number of the cluster of each."""
        found: Places = self.parents[places]
        while len(places) and (self.parents[found] != found).any():
            found = self.parents[found]
        self.parents[places] = found
        return found

    def join(self, ours: Places, theirs: Places) -> None:
        """Each of ours with the one of theirs at the same place.

        >>> clusters = Clusters(6)
        >>> clusters.join(np.array([5, 3, 1]), np.array([3, 1, 4]))
        >>> clusters.roots(np.arange(6)).tolist()
        [0, 1, 2, 1, 1, 1]
        """
        while len(ours):
            ours, theirs = self.roots(ours), self.roots(theirs)
            apart = ours != theirs
            ours, theirs = np.minimum(ours, theirs)[apart], np.maximum(ours, theirs)[apart]
            np.minimum.at(self.parents, theirs, ours)  # the rest of a tie goes on to the next round

    def apart(self, ours: Places, theirs: Places) -> NDArray[np.bool_]:
        """Whether they are in different clusters."""
        different: NDArray[np.bool_] = self.roots(ours) != self.roots(theirs)
        return different


def candidates(places: Places, hashes: Hashes) -> Iterator[tuple[Places, Places]]:
    """Pairs of places with equal hashes: each with those that follow it, nearest first, and with the first of all.

    Of at most 33 with one hash every pair comes; the pairs of the next step may be left out if they are joined by now.

    >>> [(a.tolist(), b.tolist()) for a, b in candidates(np.array([3, 4, 8, 9]), np.array([7, 1, 7, 7], np.uint64))]
    [([3, 8], [8, 9]), ([3], [9])]
    """
    order, begins = same(hashes)
    places, hashes = places[order], hashes[order]
    lengths = np.diff(begins, append=len(hashes))
    many = np.repeat(lengths > 1, lengths)
    places, hashes = places[many], hashes[many]
    for distance in range(1, NEIGHBOURS + 1):
        equal = hashes[distance:] == hashes[:-distance]
        if not equal.any():
            return
        yield places[:-distance][equal], places[distance:][equal]
    lengths = lengths[lengths > 1]
    starts = np.cumsum(lengths) - lengths
    far = np.arange(len(places)) - np.repeat(starts, lengths) > NEIGHBOURS
    yield places[np.repeat(starts, lengths)[far]], places[far]
