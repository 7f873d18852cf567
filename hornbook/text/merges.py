"""Learn merges from counted pieces: byte-pair encoding's training loop on arrays (Sennrich et al., 2016; Gage, 1994).

All distinct pieces lie end to end in one array of cells, one byte a cell. A token's id stands in its first and its last
cell, so the neighbours of a token are found by its length and no linked list is kept. Two facts make the loop short:
a pair's occurrences are all born in the merge that makes the younger of its two tokens, so an index written once only
grows stale, never incomplete; and a pair's count only falls, so a heap of old counts is a heap of upper bounds: take
the top, count it again, and merge it if the count still holds. Ties go to the smaller pair of ids, as in `tokenizers`.
"""

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hornbook.text.alphabet import BYTE_IDS

Ints: TypeAlias = NDArray[np.integer]
Entry: TypeAlias = "tuple[int, int, int, Ints, Iterator[Entry] | None]"  # -count, left, right, cells, what comes next

MIN_COUNT = 2  # a pair seen once saves nothing
WALL = 0xFF  # a byte that UTF-8 never uses: stands between pieces
NONE = -1  # the id of walls and of cells inside a token


def learn(
    counts: Mapping[bytes, int], merges: int, *, progress: Callable[[int], None] | None = None
) -> list[tuple[int, int]]:
    """The pairs of ids to merge, in order; fewer than asked for when no pair is left that occurs twice.

    >>> learn({b"aab": 2, b"ab": 1}, 2) == [(64, 65), (64, 256)]  # a is 64, b is 65, ab becomes 256, aab 257
    True
    """
    cells = Cells(counts.keys(), np.fromiter(counts.values(), np.int64, len(counts)), merges)
    learned: list[tuple[int, int]] = []
    heap: list[Entry] = []
    _push(heap, cells.first_pairs())
    while heap and len(learned) < merges:
        bound, left, right, at, following = heapq.heappop(heap)
        if following is not None:
            _push(heap, following)
        at = cells.alive(left, right, at)
        count = cells.weight(at)
        if count < -bound:
            if count >= MIN_COUNT:
                heapq.heappush(heap, (-count, left, right, at, None))
            continue
        _push(heap, cells.merge(left, right, 256 + len(learned), at))
        learned.append((left, right))
        if progress is not None:
            progress(len(learned))
    return learned


def _push(heap: list[Entry], entries: Iterator[Entry]) -> None:
    """Put the best of some sorted entries on the heap; the rest wait until it is taken."""
    entry = next(entries, None)
    if entry is not None:
        heapq.heappush(heap, entry)


class Cells:
    """The pieces as one array of ids, cut into tokens that grow."""

    def __init__(self, pieces: Collection[bytes], counts: Ints, merges: int) -> None:
        wall = bytes([WALL])
        data = np.frombuffer(wall + wall.join(pieces) + wall, np.uint8)
        table = np.array(BYTE_IDS, np.int32)
        table[WALL] = NONE
        self.ids = table[data]
        self.piece = np.cumsum(data == WALL, dtype=np.int32) - 1  # whose cell it is
        self.counts = np.append(counts, 0)
        self.length = [1] * 256 + [0] * merges  # cells of each token

    def first_pairs(self) -> Iterator[Entry]:
        """Every pair of bytes, most frequent first."""
        at = np.flatnonzero((self.ids[:-1] != NONE) & (self.ids[1:] != NONE)).astype(np.int32)
        pairs = (self.ids[at] * 256 + self.ids[at + 1]).astype(np.uint16)  # sixteen bits: numpy sorts by radix
        return self._entries(pairs, at, lambda pair: divmod(pair, 256))

    def alive(self, left: int, right: int, at: Ints) -> Ints:
        """Those cells where the pair still begins."""
        here = self.ids.take(at) == left
        here &= self.ids.take(at + self.length[left]) == right
        return at[here]

    def weight(self, at: Ints) -> int:
        return int(self.counts.take(self.piece.take(at)).sum())

    def merge(self, left: int, right: int, token: int, at: Ints) -> Iterator[Entry]:
        """Make the pair one token wherever it stands; the new pairs with its neighbours, most frequent first."""
        first, whole = self.length[left], self.length[left] + self.length[right]
        self.length[token] = whole
        if left == right:
            at = _without_overlap(at, first)
        ids, end = self.ids, at + whole
        ids[at + (first - 1)] = NONE
        ids[at + first] = NONE
        ids[at] = token
        ids[end - 1] = token
        before, after = ids.take(at - 1), ids.take(end)
        has_before = (before != NONE) & (before != token)  # a twin on the left counts this pair as its `after`
        has_after = after != NONE
        before = before[has_before]
        lengths = np.fromiter((self.length[i] for i in before.tolist()), np.int32, len(before))
        # Numbered so that they sort as pairs do: (neighbour, token) by neighbour, then (token, neighbour).
        pairs = np.concatenate((before, after[has_after] + (token + 1)))
        cells = np.concatenate((at[has_before] - lengths, at[has_after]))
        return self._entries(pairs, cells, lambda pair: (pair, token) if pair <= token else (token, pair - token - 1))

    def _entries(self, pairs: Ints, at: Ints, name: Callable[[int], tuple[int, int]]) -> Iterator[Entry]:
        """Group cells by pair and give the groups in order of falling count, then of rising pair."""
        if len(pairs) == 0:
            return iter(())
        order = np.argsort(pairs, kind="stable")
        pairs, at = pairs[order], at[order]
        starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
        counts = np.add.reduceat(self.counts.take(self.piece.take(at)), starts)
        ends = np.append(starts[1:], len(at))
        ranked = np.argsort(-counts, kind="stable")
        ranked = ranked[: int(np.count_nonzero(counts >= MIN_COUNT))]
        groups = zip(
            counts[ranked].tolist(), pairs[starts[ranked]].tolist(), starts[ranked].tolist(), ends[ranked].tolist()
        )
        return _walk(groups, at, name)


def _walk(groups, at, name):
    groups = iter(groups)

    class _Self:
        def __iter__(self):
            return self

        def __next__(self):
            count, pair, start, end = next(groups)
            return (-count, *name(pair), at[start:end], self)

    return _Self()


def _without_overlap(at: Ints, step: int) -> Ints:
    """Of a run `aaaa` only every second place begins a merge: drop the cells that the one before them uses up."""
    at = np.sort(at)
    breaks = np.concatenate(([True], np.diff(at) != step))
    runs = np.flatnonzero(breaks)
    place = np.arange(len(at)) - runs[np.cumsum(breaks) - 1]
    return at[place % 2 == 0]
