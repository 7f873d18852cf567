"""Control for length: equal to scikit-learn's logistic regression, and to what a judge of known habits would do."""

import math

import numpy as np
import pytest

from hornbook.evaluate.length_control import RIDGE, controlled, fit

DRAW = np.random.default_rng(11)


def logistic(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


@pytest.mark.parametrize("columns", [2, 3])
def test_the_fit_equals_scikit_learns(columns: int) -> None:
    """Soft labels as AlpacaEval gives them to it: every row twice, weighted by the two probabilities."""
    linear = pytest.importorskip("sklearn.linear_model")
    features = np.stack([np.ones(200), *(DRAW.normal(size=200) for _ in range(columns - 1))], axis=1)
    share = logistic(features @ DRAW.normal(size=columns) + DRAW.normal(size=200))
    twice, labels = np.concatenate([features, features]), np.repeat([1, 0], 200)
    model = linear.LogisticRegression(C=1 / RIDGE, fit_intercept=False, tol=1e-12, max_iter=10_000)
    model.fit(twice, labels, sample_weight=np.concatenate([share, 1 - share]))
    assert fit(features, share) == pytest.approx(model.coef_[0], abs=1e-5)


def test_a_judge_that_only_counts_letters_sees_no_difference_at_equal_length() -> None:
    longer = DRAW.normal(300, 400, size=805)
    preferred = logistic(2 * np.tanh(longer / longer.std(ddof=1)))
    found = controlled(preferred.tolist(), longer.tolist())
    assert preferred.mean() > 0.65
    assert found.value == pytest.approx(0.5, abs=0.005)
    assert found.length == pytest.approx(2, abs=0.02)
    assert found.interval[0] - 0.005 < 0.5 < found.interval[1] + 0.005  # no wider than the fit is exact


def test_without_difference_in_length_it_is_the_win_rate() -> None:
    preferred = [1.0, 1.0, 1.0, 0.0]
    assert controlled(preferred, [0.0] * 4).value == pytest.approx(0.75, abs=0.005)


def test_difficulty_takes_part() -> None:
    hard = DRAW.normal(size=400)
    preferred = logistic(0.3 + 1.5 * hard)
    found = controlled(preferred.tolist(), DRAW.normal(size=400).tolist(), hard.tolist())
    assert found.value == pytest.approx(preferred.mean(), abs=0.01)


@pytest.mark.parametrize("won", [0.0, 1.0])
def test_an_all_won_match_stays_finite(won: float) -> None:
    found = controlled([won] * 50, DRAW.normal(size=50).tolist())
    assert math.isfinite(found.length)
    assert abs(found.value - won) < 0.02


def test_it_is_the_same_every_time() -> None:
    preferred, longer = DRAW.random(60).tolist(), DRAW.normal(size=60).tolist()
    assert controlled(preferred, longer) == controlled(preferred, longer)


def test_one_question() -> None:
    assert controlled([1.0], [10.0]).of == 1
