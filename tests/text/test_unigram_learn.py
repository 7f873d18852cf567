"""Learning beside the same steps written out word by word."""

import math
from collections import Counter

import numpy as np
import pytest

from hornbook.text.unigram_learn import LEAST, Model, digamma, estimate, learn, prune
from hornbook.text.unigram_seeds import alphabet_of, seeds, words_of

WORDS = {"lower": 4, "lowest": 2, "newer": 6, "wider": 3, "low": 9, "new": 5, "slow": 1, "winter": 2}


@pytest.fixture
def model() -> Model:
    return seeds(words_of(WORDS, alphabet_of(WORDS, 1.0)), 16, " ")


def ways(word: str, pieces: list[str]) -> list[list[int]]:
    if not word:
        return [[]]
    return [[i, *rest] for i, p in enumerate(pieces) if word.startswith(p) for rest in ways(word[len(p) :], pieces)]


def test_digamma() -> None:
    """psi(1) and psi(1/2) in closed form, psi(x + 1) = psi(x) + 1/x."""
    x = np.array([0.5, 1.0, 3.7, 6.0, 250.0])
    assert digamma(x)[:2].tolist() == pytest.approx(
        [-0.5772156649015329 - 2 * math.log(2), -0.5772156649015329], abs=1e-9
    )
    np.testing.assert_allclose(digamma(x + 1), digamma(x) + 1 / x, rtol=1e-9)


def test_one_round_of_estimation(model: Model) -> None:
    expected: Counter[int] = Counter()
    for word, count in WORDS.items():
        chances = [math.exp(sum(model.scores[i] for i in way)) for way in ways(word, model.pieces)]
        for way, chance in zip(ways(word, model.pieces), chances, strict=True):
            for i in way:
                expected[i] += count * chance / sum(chances)
    after = estimate(model)
    kept = [i for i in range(len(model.pieces)) if expected[i] >= LEAST or model.single[i]]
    assert after.pieces == [model.pieces[i] for i in kept]
    counts = np.array([max(expected[i], LEAST) for i in kept])
    np.testing.assert_allclose(after.scores, digamma(counts) - digamma(np.array([counts.sum()])), rtol=1e-9)


def test_one_pruning(model: Model) -> None:
    model = estimate(estimate(model))
    used: Counter[int] = Counter()
    for word, count in WORDS.items():
        best = max(ways(word, model.pieces), key=lambda way: sum(model.scores[i] for i in way))
        used.update({i: count * best.count(i) for i in {*best}})
    total, losses = sum(used.values()), {}
    for i, piece in enumerate(model.pieces):
        if model.single[i] or not used[i]:
            continue
        other = max((w for w in ways(piece, model.pieces) if w != [i]), key=lambda w: sum(model.scores[j] for j in w))
        if sum(model.scores[j] for j in other) > model.scores[i]:
            continue
        after = math.log(total + used[i] * (len(other) - 1))
        losses[i] = used[i] * (math.log(used[i] / total) - sum(math.log(used[j] + used[i]) - after for j in other))
    singles = int(model.single.sum())
    wanted = max(singles + 2, int(0.75 * len(model.pieces)))
    best = sorted(losses, key=lambda i: -losses[i])[: wanted - singles]
    pruned = prune(model, singles + 2)
    assert {*pruned.pieces} == {model.pieces[i] for i in best} | {p for p in model.pieces if len(p) == 1}
    assert pruned.others.best(pruned.scores).totals.min(initial=0) > -math.inf


def test_learning_ends_with_what_was_wanted(model: Model) -> None:
    heard: list[int] = []
    learned = learn(model, 14, heard.append)
    assert len(learned) == 14
    assert {*"loweridnst"} < {piece for piece, _ in learned}
    assert heard == sorted(heard, reverse=True)
    assert [score for _, score in learned] == sorted((score for _, score in learned), reverse=True)
