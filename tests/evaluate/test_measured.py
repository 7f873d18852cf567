"""Three ways from segments to a score with its error, against identities and numbers worked out otherwise."""

import math

import numpy as np
import pytest

from hornbook.evaluate.interval import bootstrap_ratio
from hornbook.evaluate.measured import Averaged, LeftOut, Numbers, Pooled
from hornbook.evaluate.statistics import mean


def ratio(total: Numbers) -> float:
    return float(total[0] / total[1])


def pooled(seed: int, shift: float = 0.0) -> Pooled:
    draw = np.random.default_rng(seed)
    counts = np.stack([draw.poisson(5, 300) + shift, draw.poisson(9, 300) + 1.0], 1)
    return Pooled(counts, ratio, [ratio(row) for row in counts], "ratio")


def test_a_mean_of_segments_is_a_mean() -> None:
    numbers = [0.1, 0.5, 0.4, 0.9]
    assert Averaged(numbers, "").score() == mean(numbers)


def test_a_ratio_of_sums_has_the_interval_of_a_ratio() -> None:
    one = pooled(0)
    found = one.score()
    assert found.value == one.counts[:, 0].sum() / one.counts[:, 1].sum()
    wanted = bootstrap_ratio(one.counts[:, 0].tolist(), one.counts[:, 1].tolist(), seed=1, draws=4000)
    assert found.interval == pytest.approx(wanted, abs=0.004)
    assert found.standard_error == pytest.approx((wanted[1] - wanted[0]) / 3.92, rel=0.1)


def test_systems_are_compared_on_the_same_draws() -> None:
    one = pooled(0)
    better = Pooled(one.counts + np.array([0.2, 0.0]), ratio, one.each, "ratio")
    found = one.compare(better)
    assert found.is_one
    assert found.value == pytest.approx(better.score().value - one.score().value)
    assert found.interval[1] - found.interval[0] < 0.01 < one.score().interval[1] - one.score().interval[0]
    assert one.compare(one).chance == 1.0


def test_equals_are_told_apart_as_seldom_as_promised() -> None:
    told = sum(pooled(2 * trial).compare(pooled(2 * trial + 1)).is_one for trial in range(40))
    assert told <= 6  # 5 % of 40 are 2; 7 or more come by luck once in 300 times


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    """An identity: Efron and Tibshirani 1993, equation 11.8."""
    numbers = np.random.default_rng(0).uniform(size=50)
    without = (numbers.sum() - numbers) / 49
    found = LeftOut(float(numbers.mean()), without, "").score()
    assert found.standard_error == pytest.approx(numbers.std(ddof=1) / math.sqrt(50))
    assert found.interval[0] < found.value < found.interval[1]
    same = LeftOut(found.value, without, "")
    assert same.compare(same).chance == 1.0
    shifted = LeftOut(found.value + 0.2, without + 0.2 + np.random.default_rng(1).normal(0, 1e-4, 50), "")
    assert same.compare(shifted).is_one
