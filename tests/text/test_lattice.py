"""Likely cuts and random cuts against every cut written out."""

import math
import random
from collections import Counter

import pytest

from hornbook.text.lattice import Lattice
from hornbook.text.viterbi import Trie

PIECES = {"a": -1.2, "b": -2.0, "ab": -2.5, "ba": -3.3, "bab": -4.0}
TRIE = Trie({piece: (i, score) for i, (piece, score) in enumerate(PIECES.items())}, (99, -12.0))
WORD = "abbab"


def lattice(word: str) -> Lattice:
    return Lattice(word, [list(TRIE.edges(word, place)) for place in range(len(word))])


def ways(word: str) -> list[tuple[str, ...]]:
    if not word:
        return [()]
    return [(p, *rest) for p in PIECES if word.startswith(p) for rest in ways(word[len(p) :])]


def score(way: tuple[str, ...]) -> float:
    return sum(PIECES[piece] for piece in way)


@pytest.mark.parametrize("best", [1, 3, 100])
def test_the_likeliest_ways_in_order(best: int) -> None:
    found = [tuple(piece for _, piece in path) for path in lattice(WORD).nbest(best)]
    ranked = sorted(ways(WORD), key=score, reverse=True)[:best]
    assert [score(way) for way in found] == pytest.approx([score(way) for way in ranked])
    assert len({*found}) == len(found) == min(best, len(ways(WORD)))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_ways_are_drawn_as_often_as_they_should(alpha: float) -> None:
    generator, draws = random.Random(1), 20_000
    grid = lattice(WORD)
    counts = Counter(tuple(piece for _, piece in grid.sample(alpha, generator)) for _ in range(draws))
    weights = {way: math.exp(alpha * score(way)) for way in ways(WORD)}
    for way, weight in weights.items():
        chance = weight / sum(weights.values())
        error = math.sqrt(chance * (1 - chance) / draws)
        assert counts[way] / draws == pytest.approx(chance, abs=4 * error)


def test_the_same_seed_draws_the_same() -> None:
    drawn = [[lattice(WORD).sample(0.3, generator) for _ in range(9)] for generator in map(random.Random, (7, 7))]
    assert drawn[0] == drawn[1]


def test_an_empty_text_has_one_empty_way() -> None:
    assert lattice("").nbest(3) == [[]]
    assert lattice("").sample(1.0, random.Random(0)) == []
