"""Expected counts and best ways against every way written out."""

import itertools
import math
import random

import numpy as np
import pytest

from hornbook.text.graph import Graph

PIECES = ["a", "b", "ab", "ba", "aab", "bb"]
WORDS = ["aabba", "b", "abab", "bbbbaab"]


def graph() -> Graph:
    starts, ends, pieces, first, last, place = [], [], [], [], [], 0
    for word in WORDS:
        for begin, i in itertools.product(range(len(word)), range(len(PIECES))):
            if word.startswith(PIECES[i], begin):
                starts.append(place + begin)
                ends.append(place + begin + len(PIECES[i]))
                pieces.append(i)
        first.append(place)
        last.append(place + len(word))
        place += len(word) + 1
    order = random.Random(0).sample(range(len(starts)), len(starts))
    columns = [np.array(column)[order] for column in (starts, ends, pieces)]
    return Graph.of(*columns, first=np.array(first), last=np.array(last))


def ways(word: str) -> list[list[int]]:
    if not word:
        return [[]]
    return [[i, *rest] for i, p in enumerate(PIECES) if word.startswith(p) for rest in ways(word[len(p) :])]


SCORES = np.log([0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
COUNTS = np.array([3.0, 1.0, 2.0, 5.0])


def test_expected_counts() -> None:
    expected, weights = graph().expected(SCORES, COUNTS)
    by_hand = np.zeros(len(PIECES))
    for word, count, weight in zip(WORDS, COUNTS, weights, strict=True):
        chances = [math.exp(sum(SCORES[i] for i in way)) for way in ways(word)]
        assert weight == pytest.approx(math.log(sum(chances)), abs=1e-12)
        for way, chance in zip(ways(word), chances, strict=True):
            for i in way:
                by_hand[i] += count * chance / sum(chances)
    np.testing.assert_allclose(expected, by_hand, rtol=1e-12)


def test_best_ways() -> None:
    found = graph().best(SCORES)
    for number, word in enumerate(WORDS):
        best = max(ways(word), key=lambda way: sum(SCORES[i] for i in way))
        assert sorted(found.pieces[found.words == number].tolist()) == sorted(best)
        assert found.totals[number] == pytest.approx(sum(SCORES[i] for i in best))


def test_without_a_piece_and_without_a_word() -> None:
    names = np.array([0, 1, -1, 2, 3, 4])  # no `ab`
    less = graph().keeping(names).without(np.array([True, False, False, False]))
    expected, weights = less.expected(SCORES[names >= 0], COUNTS[1:])
    assert len(expected) == 5
    for word, weight in zip(WORDS[1:], weights, strict=True):
        chances = [math.exp(sum(SCORES[i] for i in way)) for way in ways(word) if 2 not in way]
        assert weight == pytest.approx(math.log(sum(chances)), abs=1e-12)


def test_a_word_without_a_way_has_no_weight() -> None:
    none = graph().keeping(np.array([0, -1, -1, -1, -1, -1]))  # only `a`
    assert none.best(SCORES[:1]).totals.tolist() == [-math.inf] * 4
