"""The best way to cut a word into pieces with scores: a trie of the pieces, and Viterbi's algorithm over it (1967).

The best way to reach each place between two characters is remembered with the piece that got there, from left to right;
backward from the end stand the pieces. A character that is no piece by itself may be passed as an unknown one.
"""

from array import array
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

Node: TypeAlias = (
    "tuple[dict[str, Node], int, float]"  # what may follow, the id of the piece that ends here or -1, score
)

NEVER = float("-inf")
RENEWED = -100_000.0  # below this sum SentencePiece (0.2.1 and later) begins again at 0


class Way(NamedTuple):
    """A word in pieces."""

    pieces: list[tuple[int, str]]  # ids and texts
    margin: float  # how much better it is, at the least, than another way to a place on it
    after: float  # the sum of scores where it ends


class Trie:
    """Pieces by their characters."""

    def __init__(self, pieces: Mapping[str, tuple[int, float]], unknown: tuple[int, float]) -> None:
        """Pieces with ids and scores, and the id and the score of a character that is no piece."""
        root: dict[str, Node] = {}
        for piece, (i, score) in pieces.items():
            children = root
            for character in piece[:-1]:
                children = children.setdefault(character, ({}, -1, 0.0))[0]
            children[piece[-1]] = (children.get(piece[-1], ({}, -1, 0.0))[0], i, score)
        self._first = {character: (node[0], *unknown) if node[1] < 0 else node for character, node in root.items()}
        self._missing: Node = ({}, *unknown)

    def edges(self, word: str, place: int) -> Iterator[tuple[int, int, float]]:
        """The pieces that begin at a place: where each ends, its id and score."""
        children, i, score = self._first.get(word[place], self._missing)
        for end in range(place + 1, len(word) + 1):
            if i >= 0:
                yield end, i, score
            node = children.get(word[end]) if end < len(word) else None
            if node is None:
                return
            children, i, score = node

    def best(self, word: str, before: float | None = None) -> Way:
        """The way of the highest score, of equals the one whose last piece is longest.

        With `before`, the score of what stands before the word, sums are kept as SentencePiece does: in 32 bits
        and begun again at 0 when they are too long for that.
        """
        size = len(word)
        sums = [0.0] + [NEVER] * size + [0.0]  # the best of each place; the last is only there to be rounded in
        reached = sums if before is None else array("f", [before, *sums[1:]])
        second = [NEVER] * (size + 1)
        back = [(0, 0)] * (size + 1)
        for place in range(size):
            here = reached[place]
            if before is not None and here < RENEWED:
                reached = array("f", [*reached[:place], *(sum_ - here for sum_ in reached[place:])])
                second, here = [*second[:place], *(sum_ - here for sum_ in second[place:])], 0.0
            children, i, score = self._first.get(word[place], self._missing)
            end = place + 1
            while True:
                if i >= 0:
                    reached[-1] = here + score
                    if (now := reached[-1]) > reached[end]:
                        second[end], reached[end], back[end] = reached[end], now, (place, i)
                    elif now > second[end]:
                        second[end] = now
                if end == size or (node := children.get(word[end])) is None:
                    break
                children, i, score = node
                end += 1
        return _trace(word, reached, second, back)


def _trace(word: str, reached: "list[float] | array[float]", second: list[float], back: list[tuple[int, int]]) -> Way:
    """The pieces that lead to the end."""
    pieces, end, margin = [], len(word), -NEVER
    while end:
        margin = min(margin, reached[end] - second[end])
        place, i = back[end]
        pieces.append((i, word[place:end]))
        end = place
    return Way(pieces[::-1], margin, reached[len(word)])
