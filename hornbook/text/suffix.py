"""The substrings that occur again and again in a text, each with all its places: a suffix array cut off at a length.

Places are sorted by the text that follows them, of which only so many characters count, so doubling (Karp, Miller and
Rosenberg, 1972; Manber and Myers, 1993) is done after a few rounds: two characters are ranked by their ranks, then
four by those of two. Neighbours in that order share a beginning; where the shared length falls below d, one group of
equal substrings of length d ends and the next begins. Only substrings that go on in different ways are given, the inner
nodes of the suffix tree: one that always goes on in the same way says nothing that the longer one does not.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]


class Repeats(NamedTuple):
    """All repeated substrings of one length."""

    length: int
    places: Ints  # where they stand, equal ones next to each other
    group: Ints  # of each place: the number of its substring, from 0


def repeats(text: Ints, longest: int, extent: Ints) -> Iterator[Repeats]:
    """Substrings of 2 to `longest` characters that occur twice or more and go on in different ways.

    `text` are characters as numbers from 1; 0 is a wall that none crosses, and the last. At a place only those count
    that are not longer than its `extent`.
    """
    room = room_left(text)
    order, shared = _sorted(text, longest, room)
    fits = np.minimum(extent, room)[order]
    for length in range(2, longest + 1):
        begins = np.flatnonzero(shared < length)  # of groups of equal substrings
        inner = shared.copy()
        inner[begins] = longest + 1  # what a group shares with the one before says nothing of it
        sizes = np.diff(begins, append=len(order))
        kept = (sizes > 1) & (fits[begins] >= length)
        if kept.any():
            kept &= np.minimum.reduceat(inner, begins) == length
        member = np.repeat(kept, sizes)
        group = np.repeat(np.cumsum(kept) - 1, sizes)[member]
        yield Repeats(length, order[member], group.astype(np.int32))


def room_left(text: Ints) -> Ints:
    """How many characters there are from each place to the next wall."""
    walls = np.flatnonzero(text == 0)
    following = walls[np.searchsorted(walls, np.arange(len(text)))]
    return (following - np.arange(len(text))).astype(np.int32)


def _sorted(text: Ints, longest: int, room: Ints) -> tuple[Ints, Ints]:
    """The places of characters by what follows them, and how much of it each shares with the place before it."""
    ranks: list[Ints] = [text]  # ranks of 1, 2, 4 ... characters
    step = 1
    while step < longest:
        rank: Ints = ranks[-1].astype(np.int64)
        following = np.where(room > step, np.append(rank[step:], np.zeros(step, np.int64)), 0)
        _, found = np.unique(rank * (rank.max() + 1) + following, return_inverse=True)
        ranks.append(found.astype(np.int32))
        step *= 2
    order = np.argsort(ranks[-1], kind="stable").astype(np.int32)
    order = order[text[order] > 0]
    before, after, shared = order[:-1], order[1:], np.zeros(max(len(order) - 1, 0), np.int32)
    for power in range(len(ranks) - 1, -1, -1):
        rank = ranks[power]
        both = (np.minimum(place + shared, len(text) - 1) for place in (before, after))
        shared += (1 << power) * np.equal(*(rank[place] for place in both)).astype(np.int32)
    shared = np.minimum(shared, np.minimum(room[before], room[after]))
    return order, np.append(np.zeros(min(len(order), 1), np.int32), shared).astype(np.int32)
