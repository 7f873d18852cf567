"""Every way to cut many words into pieces, as arrays: expected counts and best ways of all words side by side.

An edge is a piece at a place: it leads from the place where it begins to the one where it ends. Edges are sorted by how
far into their word they end, so one step of numpy takes all words one character further. Forward, a place learns the
weight of all ways to it and each of its edges its share of that; backward, the count of a word flows from its end along
those shares, and what goes over an edge is how often its piece is expected there (Baum and Welch's algorithm; Kudo,
2018, section 3.1). The best ways are found alike, with a maximum instead of a sum (Viterbi, 1967).
"""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


class Ways(NamedTuple):
    """The best way through each word."""

    words: Ints  # for each piece on a way: which word's
    pieces: Ints
    totals: Floats  # of each word: its way's score; -inf where there is none


@dataclass(frozen=True)
class Graph:
    """Words laid end to end, each with one place more than it has characters."""

    starts: Ints  # of each edge
    ends: Ints
    pieces: Ints
    first: Ints  # of each word: its first place
    last: Ints  # and the place where it ends
    places: int  # in all words

    @classmethod
    def of(cls, starts: Ints, ends: Ints, pieces: Ints, *, first: Ints, last: Ints) -> "Graph":
        """The graph of edges in any order; words are given by their first and last places, rising."""
        places = int(last.max(initial=-1)) + 1
        level = ends - first[np.searchsorted(first, ends, side="right") - 1]
        order = np.lexsort((ends, level))
        return cls(starts[order], ends[order], pieces[order], first, last, places)

    def keeping(self, names: Ints) -> "Graph":
        """Without the pieces whose new name is -1; the others under their new names."""
        kept = names[self.pieces] >= 0
        pieces = names[self.pieces[kept]].astype(self.pieces.dtype)
        return Graph(self.starts[kept], self.ends[kept], pieces, self.first, self.last, self.places)

    def without(self, words: NDArray[np.bool_]) -> "Graph":
        """Without some words and all their edges."""
        word = np.searchsorted(self.first, self.ends, side="right") - 1
        kept = ~words[word]
        return Graph(
            self.starts[kept], self.ends[kept], self.pieces[kept], self.first[~words], self.last[~words], self.places
        )

    def expected(self, scores: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """How often each piece is expected in words that occur so often, and the logarithm of each word's weight."""
        reached, share = self._forward(scores)
        flow = np.zeros(self.places)
        flow[self.last] = counts
        for step in reversed(self._steps):
            share[step] *= flow[self.ends[step]]
            np.add.at(flow, self.starts[step], share[step])
        return np.bincount(self.pieces, share, len(scores)).astype(np.float64), reached[self.last]

    def _forward(self, scores: Floats) -> tuple[Floats, Floats]:
        """The logarithm of the weight of all ways to each place, and each edge's share of its end's."""
        reached = np.full(self.places, -np.inf)
        reached[self.first] = 0.0
        highest, total, share = np.zeros(self.places), np.zeros(self.places), np.empty(len(self.ends))
        for step, heads in zip(self._steps, self._heads, strict=True):
            ends = self.ends[step]
            weight = reached[self.starts[step]] + scores[self.pieces[step]]
            nodes = ends[heads]
            highest[nodes] = np.maximum.reduceat(weight, heads)
            weight = np.exp(weight - highest[ends])
            total[nodes] = np.add.reduceat(weight, heads)
            reached[nodes] = highest[nodes] + np.log(total[nodes])
            share[step] = weight / total[ends]
        return reached, share

    def best(self, scores: Floats) -> Ways:
        """The way of the highest score through each word."""
        reached = np.full(self.places, -np.inf)
        reached[self.first] = 0.0
        came = np.full(self.places, -1, np.int64)  # over which edge
        for step, heads in zip(self._steps, self._heads, strict=True):
            ends = self.ends[step]
            weight = reached[self.starts[step]] + scores[self.pieces[step]]
            reached[ends[heads]] = np.maximum.reduceat(weight, heads)
            winners = np.flatnonzero(weight == reached[ends])
            came[ends[winners]] = winners + step.start
        return self._traced(came, reached[self.last])

    def _traced(self, came: Ints, totals: Floats) -> Ways:
        """Follow the edges back from the end of every word at once."""
        words = np.flatnonzero(totals > -np.inf)
        at, found = self.last[words], []
        while len(words):
            edges = came[at]
            found.append((words, self.pieces[edges]))
            at = self.starts[edges]
            open_ = at > self.first[words]
            words, at = words[open_], at[open_]
        if not found:
            return Ways(np.zeros(0, np.int64), np.zeros(0, np.int64), totals)
        return Ways(np.concatenate([w for w, _ in found]), np.concatenate([p for _, p in found]), totals)

    @cached_property
    def _steps(self) -> list[slice]:
        """The edges that end one, two, three ... characters into their words."""
        level = self.ends - self.first[np.searchsorted(self.first, self.ends, side="right") - 1]
        cuts = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(level)] if len(level) else []
        return [slice(begin, end) for begin, end in itertools.pairwise(cuts)]

    @cached_property
    def _heads(self) -> list[Ints]:
        """In each step: the first edge of every place."""
        return [np.append(0, np.flatnonzero(np.diff(self.ends[step])) + 1) for step in self._steps]
