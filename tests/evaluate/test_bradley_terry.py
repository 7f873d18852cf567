"""Bradley and Terry's strengths: a case by hand, another optimiser, planted ones, and models that win everything."""

import math

import numpy as np
import pytest

from hornbook.evaluate.bradley_terry import fit, strengths

# Agresti 2002, table 10.10: American League baseball 1987, wins of the row's team over the column's.
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],  # Milwaukee
        [6, 0, 7, 5, 11, 9, 9],  # Detroit
        [4, 6, 0, 7, 7, 8, 12],  # Toronto
        [6, 8, 6, 0, 6, 7, 10],  # New York
        [6, 2, 6, 7, 0, 7, 12],  # Boston
        [4, 4, 5, 6, 6, 0, 6],  # Cleveland
        [2, 4, 1, 3, 1, 7, 0],  # Baltimore
    ],
    dtype=float,
)


def test_the_published_strengths_of_baseball_teams() -> None:
    """Agresti's estimates, Baltimore's being 0."""
    found = fit(BASEBALL, prior=0)
    published = [1.581, 1.436, 1.294, 1.248, 1.108, 0.684, 0]
    assert (found - found[-1]).tolist() == pytest.approx(published, abs=0.0015)


@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_another_optimiser_finds_no_likelier_strengths(prior: float) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    wins = np.random.default_rng(1).integers(1, 30, size=(5, 5)).astype(float)
    np.fill_diagonal(wins, 0)
    counted = wins + prior * (1 - np.eye(5))

    def surprise(logs: np.ndarray) -> float:
        return float((counted * np.log1p(np.exp(logs[None, :] - logs[:, None]))).sum() + logs.sum() ** 2)

    best = optimize.minimize(surprise, np.zeros(5), method="BFGS", options={"gtol": 1e-8}).x
    assert fit(wins, prior=prior) == pytest.approx(best - best.mean(), abs=1e-5)


PLANTED = np.array([0.8, 0.1, -0.2, -0.7])


def games(prompts: int, seed: int) -> np.ndarray:
    """Who won between models of planted strengths, every pair once a prompt."""
    chances = 1 / (1 + np.exp(PLANTED[None, :] - PLANTED[:, None]))
    won = np.triu(np.random.default_rng(seed).random((prompts, 4, 4)) < chances, 1)
    return won + np.triu(1 - won, 1).swapaxes(1, 2)


def test_planted_strengths_are_recovered() -> None:
    found = strengths(games(3000, seed=0))
    assert [each.value for each in found] == pytest.approx(PLANTED, abs=0.05)
    chances = 1 / (1 + np.exp(PLANTED[None, :] - PLANTED[:, None]))
    assert [each.chance for each in found] == pytest.approx((chances.sum(1) - 0.5) / 3, abs=0.01)


def test_95_of_100_intervals_hold_the_planted_strength() -> None:
    hits = [
        each.interval[0] < true < each.interval[1]
        for seed in range(60)
        for each, true in zip(strengths(games(200, seed), draws=300), PLANTED, strict=True)
    ]
    assert 0.92 < np.mean(hits) < 0.98  # of 240


def test_a_tie_is_half_a_win_for_each() -> None:
    assert fit(np.array([[0, 0.5], [0.5, 0]]), prior=0) == pytest.approx([0, 0])
    assert fit(np.array([[0, 2.5], [0.5, 0]]), prior=0)[0] == pytest.approx(math.log(5) / 2)


def test_who_wins_everything_has_a_bound_by_the_prior() -> None:
    """20 of 20 and one tie more are 20.5 : 0.5."""
    everything = np.array([[0.0, 20.0], [0.0, 0.0]])
    first, second = fit(everything)
    assert first - second == pytest.approx(math.log(20.5 / 0.5))
    with pytest.raises(ValueError, match="never won or never lost"):
        fit(everything, prior=0)


def test_models_that_never_met_are_told_apart_by_others_or_not_at_all() -> None:
    wins = np.zeros((4, 4))
    wins[0, 1], wins[1, 0], wins[2, 3], wins[3, 2] = 3, 1, 1, 3
    assert fit(wins)[0] > fit(wins)[1]
    ring = np.zeros((3, 3))
    ring[0, 1], ring[1, 0], ring[1, 2], ring[2, 1] = 3, 1, 3, 1
    assert fit(ring, prior=0) == pytest.approx([math.log(3), 0, -math.log(3)], abs=1e-8)
