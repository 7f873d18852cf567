"""Learn merges from counted pieces: byte-pair encoding's training loop on arrays (Sennrich et al., 2016; Gage, 1994).

All distinct pieces lie end to end in one array of cells, one byte a cell (for WordPiece, one character). A token's id
stands in its first and its last cell, so its neighbours are found by its length and no linked list is kept. Two facts
make the loop short:
a pair's occurrences are all born in the merge that makes the younger of its two tokens, so an index written once only
grows stale, never incomplete; and a pair's count only falls, so a heap of old counts is a heap of upper bounds: take
the top, count it again, and merge it if the count still holds. Ties go to the smaller pair of ids, as in `tokenizers`.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hornbook.text.alphabet import BYTE_IDS

Ints: TypeAlias = NDArray[np.integer[Any]]
Group: TypeAlias = "tuple[int, int, int, Ints]"  # -count, left id, right id, the cells where the pair begins
Entry: TypeAlias = "tuple[int, int, int, Ints, Iterator[Group]]"  # a group and the next lower ones of its merge

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
    return learn_on(Cells(*_bytes(counts), symbols=256, merges=merges), merges, progress=progress)


def learn_on(cells: "Cells", merges: int, *, progress: Callable[[int], None] | None = None) -> list[tuple[int, int]]:
    """The same for pieces of any symbols: the ids of what is merged follow on those of the symbols."""
    learned: list[tuple[int, int]] = []
    heap: list[Entry] = []
    _push(heap, cells.first_pairs())
    while heap and len(learned) < merges:
        _, left, right, at, lower = heapq.heappop(heap)
        _push(heap, lower)
        alive = cells.alive(left, right, at)
        if len(alive) < len(at):  # some were used up by other merges: this count is too high
            count = cells.count(alive)
            if count >= MIN_COUNT:
                heapq.heappush(heap, (-count, left, right, alive, iter(())))
            continue
        _push(heap, cells.merge(left, right, cells.symbols + len(learned), at))
        learned.append((left, right))
        if progress is not None:
            progress(len(learned))
    return learned


def _bytes(counts: Mapping[bytes, int]) -> tuple[Ints, Ints]:
    """Pieces of bytes as `Cells` wants them."""
    wall = bytes([WALL])
    data = np.frombuffer(wall.join((b"", *counts, b"")), np.uint8)
    table = np.array(BYTE_IDS, np.int32)
    table[WALL] = NONE
    return table[data], np.fromiter(counts.values(), np.int64, len(counts))


def _push(heap: list[Entry], groups: Iterator[Group]) -> None:
    """Put the first of some groups on the heap; the lower ones wait until it is taken."""
    group = next(groups, None)
    if group is not None:
        heapq.heappush(heap, (*group, groups))


class Cells:
    """The pieces as one array of ids, cut into tokens that grow."""

    def __init__(self, ids: Ints, numbers: Ints, *, symbols: int, merges: int) -> None:
        """Pieces end to end, NONE before, between and after them; `numbers`: of each piece, how often it occurs."""
        walls = np.flatnonzero(ids == NONE)
        sizes = np.diff(walls, append=len(ids))
        width = np.int32 if numbers.max(initial=0) < 1 << 31 else np.int64
        self.ids, self.symbols = ids, symbols
        self.counts = np.repeat(np.append(numbers, 0).astype(width), sizes)  # of each cell: how often its piece occurs
        self.length = np.ones(symbols + merges, np.intp)  # of each token: its cells; intp is what numpy indexes by

    def first_pairs(self) -> Iterator[Group]:
        """Every pair of symbols, most frequent first."""
        at = np.flatnonzero((self.ids[:-1] != NONE) & (self.ids[1:] != NONE)).astype(np.intp)
        pairs = self.ids[at].astype(np.int64) * self.symbols + self.ids[at + 1]
        if self.symbols <= 256:
            pairs = pairs.astype(np.uint16)  # sixteen bits: numpy sorts by radix
        return self._ranked(pairs, at, lambda pair: divmod(pair, self.symbols))

    def alive(self, left: int, right: int, at: Ints) -> Ints:
        """Those cells where the pair still begins."""
        both = self.ids.take(at) == left
        both &= self.ids.take(at + self.length[left]) == right
        left_over: Ints = at[both]
        return left_over

    def count(self, at: Ints) -> int:
        """How often in the corpus the tokens that begin at some cells occur."""
        return int(self.counts.take(at).sum(dtype=np.int64))

    def merge(self, left: int, right: int, token: int, at: Ints) -> Iterator[Group]:
        """Make the pair one token wherever it stands; the pairs it forms with its neighbours, most frequent first."""
        first = self.length[left]
        self.length[token] = first + self.length[right]
        if left == right:
            at = _without_overlap(at, int(first))
        ids, end = self.ids, at + self.length[token]
        inner = at + first
        ids[inner - 1] = NONE
        ids[inner] = NONE
        ids[at] = token
        ids[end - 1] = token
        before, after = ids.take(at - 1), ids.take(end)
        # Numbered so that they sort as pairs do: (neighbour, token) by neighbour, then (token, neighbour). A wall on
        # the left gives NONE; a wall on the right, and a twin on the left, whose own right side counts it, `token`.
        pairs = np.concatenate((before, after + (token + 1)))
        cells = np.concatenate((at - self.length.take(before, mode="clip"), at))
        real = (pairs != NONE) & (pairs != token)
        return self._ranked(
            pairs[real], cells[real], lambda pair: (pair, token) if pair < token else (token, pair - token - 1)
        )

    def _ranked(self, pairs: Ints, at: Ints, name: Callable[[int], tuple[int, int]]) -> Iterator[Group]:
        """Group cells by pair and give the groups by falling count, then by rising pair."""
        if len(pairs) == 0:
            return
        order = pairs.argsort(kind="stable")
        pairs, at = pairs[order], at[order]
        new = np.empty(len(pairs) + 1, np.bool_)
        new[0] = new[-1] = True
        np.not_equal(pairs[1:], pairs[:-1], out=new[1:-1])
        edges = new.nonzero()[0]
        counts = np.add.reduceat(self.counts.take(at), edges[:-1], dtype=np.int64)
        ranks = (-counts).argsort(kind="stable")
        ranks = ranks[counts[ranks] >= MIN_COUNT]
        starts = edges[ranks]
        groups = zip(
            counts[ranks].tolist(), pairs[starts].tolist(), starts.tolist(), edges[ranks + 1].tolist(), strict=True
        )
        for count, pair, start, stop in groups:
            left, right = name(pair)
            yield -count, left, right, at[start:stop]


def _without_overlap(at: Ints, step: int) -> Ints:
    """Of a run `aaaa` only every second place begins a merge: drop the cells (rising) that the one before them uses up.

    >>> _without_overlap(np.array([3, 4, 5, 9]), 1)
    array([3, 5, 9])
    """
    first = np.diff(at, prepend=-step) != step
    place = np.arange(len(at)) - np.flatnonzero(first)[np.cumsum(first) - 1]  # in its run
    kept: Ints = at[place % 2 == 0]
    return kept
