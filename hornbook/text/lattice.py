"""All ways to cut a text into pieces, as a graph: places between characters, and pieces that lead from one to a later.

For subword regularisation (Kudo, 2018): the n likeliest ways, and a way drawn at random. Drawing goes forward to sum
up, for every place, the weight of all ways to reach it, and then from the end backward, choosing each piece by its
share of that weight (forward filtering, backward sampling: Scott, 2002), so no way is written out that is not taken.
"""

import heapq
import math
import random
from collections.abc import Sequence
from itertools import accumulate

Edge = tuple[int, int, float]  # where a piece ends, its id, its score
Path = list[tuple[int, str]]  # pieces: ids and texts


class Lattice:
    """A text of so many characters and, for each place in it, the pieces that begin there."""

    def __init__(self, text: str, edges: Sequence[Sequence[Edge]]) -> None:
        self.text = text
        self.arriving: list[list[tuple[int, int, float]]] = [[] for _ in range(len(text) + 1)]  # begin, id, score
        for begin, leaving in enumerate(edges):
            for end, i, score in leaving:
                self.arriving[end].append((begin, i, score))

    def sample(self, alpha: float, generator: random.Random) -> Path:
        """A way drawn with its probability to the power `alpha`, among all ways."""
        reached = [0.0]  # logarithm of the weight of all ways to each place
        for arriving in self.arriving[1:]:
            reached.append(_log_sum([reached[begin] + alpha * score for begin, _, score in arriving]))
        path, end = [], len(self.text)
        while end:
            weights = [
                math.exp(reached[begin] + alpha * score - reached[end]) for begin, _, score in self.arriving[end]
            ]
            sums = [*accumulate(weights)]
            drawn = generator.random() * sums[-1]
            begin, i, _ = self.arriving[end][next(k for k, upto in enumerate(sums) if drawn < upto or upto == sums[-1])]
            path.append((i, self.text[begin:end]))
            end = begin
        return path[::-1]

    def nbest(self, best: int) -> list[Path]:
        """The likeliest ways, the likeliest first: those of each place are made of those of the places before it."""
        ways: list[list[tuple[float, int, int, int]]] = [[(0.0, 0, 0, 0)]]  # sum, begin, which way to there, id
        for arriving in self.arriving[1:]:
            reaching = (
                (way[0] + score, begin, rank, i) for begin, i, score in arriving for rank, way in enumerate(ways[begin])
            )
            ways.append(heapq.nlargest(best, reaching, key=lambda way: way[0]))
        return [self._path(ways, rank) for rank in range(len(ways[-1]))]

    def _path(self, ways: list[list[tuple[float, int, int, int]]], rank: int) -> Path:
        path, end = [], len(self.text)
        while end:
            _, begin, rank, i = ways[end][rank]
            path.append((i, self.text[begin:end]))
            end = begin
        return path[::-1]


def _log_sum(values: list[float]) -> float:
    """The logarithm of the sum of what these are the logarithms of."""
    if not values:
        return -math.inf
    highest = max(values)
    return highest if highest == -math.inf else highest + math.log(sum(math.exp(v - highest) for v in values))
