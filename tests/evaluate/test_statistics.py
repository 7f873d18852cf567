"""Errors and comparisons against numbers worked out by hand, by brute force and by repetition."""

import itertools
import math
import random

import numpy as np
import pytest

from hornbook.evaluate.statistics import compare, mcnemar, mean


def test_a_share_has_wilsons_interval_and_the_usual_error() -> None:
    found = mean([1.0] * 30 + [0.0] * 10)
    assert (found.value, found.of) == (0.75, 40)
    assert found.standard_error == pytest.approx(
        math.sqrt(0.75 * 0.25 / 39)
    )  # as lm-evaluation-harness: sample variance
    assert found.interval == pytest.approx((0.5981, 0.8581), abs=1e-3)  # Wilson 1927, by hand


def test_the_interval_of_any_numbers_holds_the_truth_as_often_as_it_says() -> None:
    draw, held = np.random.default_rng(0), 0
    for trial in range(150):
        low, high = mean(draw.exponential(2.0, 60), seed=trial).interval
        held += low <= 2.0 <= high
    assert 0.85 < held / 150 <= 1.0  # a skewed distribution and 60 numbers: somewhat under 95 %


def test_nothing_and_one_number() -> None:
    assert math.isnan(mean([]).value)
    assert mean([0.5]).value == 0.5
    assert math.isnan(mean([0.5]).standard_error)


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (4, 1), (3, 3), (9, 2)])
def test_mcnemar_by_brute_force(gained: int, lost: int) -> None:
    changed, gap = gained + lost, abs(gained - lost)
    flips = list(itertools.product((1, -1), repeat=changed))
    wanted = sum(abs(sum(flip)) >= gap for flip in flips) / len(flips)
    assert mcnemar(gained, lost) == pytest.approx(wanted)


def test_equals_are_told_apart_as_seldom_as_promised() -> None:
    draw, told = random.Random(1), 0
    for trial in range(200):
        first, second = ([float(draw.random() < 0.6) for _ in range(80)] for _ in range(2))
        told += compare(first, second, seed=trial).is_one
    assert told / 200 <= 0.07


def test_a_real_difference_is_seen_in_pairs_where_the_intervals_overlap() -> None:
    hard = np.random.default_rng(0).normal(0, 1, 300)
    first, second = hard, hard + 0.1 + np.random.default_rng(1).normal(0, 0.3, 300)
    a, b = mean(first.tolist()), mean(second.tolist())
    assert a.interval[1] > b.interval[0]
    found = compare(first.tolist(), second.tolist())
    assert found.is_one
    assert found.test == "paired bootstrap"
    assert "b is better than a by" in found.sentence("a", "b")
    assert "no difference between a and b can be told" in compare([1.0, 0.0] * 20, [0.0, 1.0] * 20).sentence("a", "b")


def test_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="3 and 2 scores"):
        compare([1, 0, 1], [1, 0])
