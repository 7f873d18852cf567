"""Intervals cover what they claim to cover."""

import numpy as np
import pytest

from hornbook.evaluate.interval import bootstrap_ratio, wilson


def test_wilson_covers_the_true_share_about_95_times_in_100():
    rng = np.random.default_rng(0)
    hits = rng.binomial(40, 0.3, size=4000)
    covered = np.mean([low <= 0.3 <= high for low, high in (wilson(int(h), 40) for h in hits)])
    assert 0.93 <= covered <= 0.97


def test_wilson_stays_inside_and_knows_nothing_without_trials():
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == pytest.approx(1.0)
    assert wilson(0, 0) == (0.0, 1.0)


def test_bootstrap_of_a_ratio_agrees_with_the_normal_approximation():
    rng = np.random.default_rng(1)
    weights = rng.uniform(50, 150, 400)
    values = weights * rng.normal(2.0, 0.5, 400)
    low, high = bootstrap_ratio(list(values), list(weights))
    ratio = values.sum() / weights.sum()
    half = 1.96 * np.std(values - ratio * weights) / (weights.mean() * np.sqrt(400))
    assert low == pytest.approx(ratio - half, abs=0.25 * half)
    assert high == pytest.approx(ratio + half, abs=0.25 * half)
