"""Agreement: the papers' own examples, scikit-learn's and scipy's numbers, and what cannot be said."""

import math

import numpy as np
import pytest

from hornbook.evaluate.agreement import cohen, fleiss, kendall, krippendorff, spearman, squared

DRAW = np.random.default_rng(3)


def test_cohen_equals_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    for _ in range(20):
        one, other = DRAW.choice(["a", "b", "tie"], 30), DRAW.choice(["a", "b", "tie"], 30, p=[0.6, 0.3, 0.1])
        assert cohen(one.tolist(), other.tolist()) == pytest.approx(metrics.cohen_kappa_score(one, other))


def test_fleiss_equals_his_example() -> None:
    """Fleiss 1971, table 1: 30 patients, 6 psychiatrists, 5 diagnoses; the ten rows that everybody reprints: 0.210."""
    rows = [
        (0, 0, 0, 0, 14),
        (0, 2, 6, 4, 2),
        (0, 0, 3, 5, 6),
        (0, 3, 9, 2, 0),
        (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0),
        (3, 2, 6, 3, 0),
        (2, 5, 3, 2, 2),
        (6, 5, 2, 1, 0),
        (0, 2, 2, 3, 7),
    ]
    things = [[name for name, count in enumerate(row) for _ in range(count)] for row in rows]
    assert fleiss(things) == pytest.approx(0.20993, abs=1e-5)


def test_fleiss_of_two_raters_who_always_agree_is_one() -> None:
    assert fleiss([["a", "a"], ["b", "b"], ["tie", "tie"]]) == 1


def test_things_with_unequal_ratings_are_for_alpha() -> None:
    with pytest.raises(ValueError, match="Krippendorff"):
        fleiss([["a", "b"], ["a"]])


GAP = None
# Krippendorff 2011, section C: four observers, twelve units, with gaps
OBSERVED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, GAP, GAP, GAP],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, GAP, 3],
    [GAP, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, GAP],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, GAP],
]


def test_krippendorff_equals_his_example() -> None:
    units = [[said for said in unit if said is not GAP] for unit in zip(*OBSERVED, strict=True)]
    assert krippendorff(units) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff(units, squared) == pytest.approx(0.849, abs=5e-4)


def test_correlations_equal_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    for _ in range(20):
        one, other = DRAW.integers(0, 8, 25), DRAW.integers(0, 100, 25)
        assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
        assert kendall(one, other) == pytest.approx(stats.kendalltau(one, other).statistic)


def test_what_cannot_be_said_is_not_a_number() -> None:
    assert math.isnan(cohen(["a", "a"], ["a", "a"]))
    assert math.isnan(cohen([], []))
    assert math.isnan(fleiss([["a"], ["b"]]))
    assert math.isnan(krippendorff([["a"], ["b"]]))
    assert math.isnan(spearman([1, 1, 1], [1, 2, 3]))
    assert math.isnan(kendall([1, 1, 1], [1, 2, 3]))


def test_two_raters_of_different_things_are_refused() -> None:
    with pytest.raises(ValueError, match="same things"):
        cohen(["a"], ["a", "b"])
