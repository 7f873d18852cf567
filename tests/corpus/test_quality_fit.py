"""Logistic regression, calibration and the area under the curve against scikit-learn and by hand."""

import numpy as np
import pytest

from hornbook.corpus.quality_features import BUCKETS, Matrix, matrix
from hornbook.corpus.quality_fit import PENALTY, Problem, auc, calibrate, fit, reliability, sigmoid


def texts(count: int) -> tuple[Matrix, np.ndarray]:
    """Good ones say more of the first words, bad ones of the last."""
    chance = np.random.default_rng(3)
    words = np.array([f"word{number}" for number in range(200)])
    good = chance.random(count) < 0.5
    likely = np.linspace(3, 1, 200)
    made = [" ".join(chance.choice(words, 30, p=(p := likely if g else likely[::-1]) / p.sum())) for g in good]
    return matrix(made), good


def test_weights_are_the_minimum() -> None:
    found, good = texts(120)
    weights = fit(found, good)
    problem = Problem(found, good)
    gradient = PENALTY * problem.back(sigmoid(problem.scores(weights)) - good) + np.append(weights[:-1], 0)
    assert np.abs(gradient).max() < 1e-4
    for _ in range(5):
        other = weights + np.random.default_rng(0).normal(size=len(weights)) * 1e-3
        assert problem.loss(other) > problem.loss(weights)


def test_weights_are_those_of_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    sparse = pytest.importorskip("scipy.sparse")
    found, good = texts(150)
    used, columns = np.unique(found.buckets, return_inverse=True)
    rows = sparse.csr_matrix((found.values, columns, found.offsets))
    theirs = linear.LogisticRegression(C=PENALTY, tol=1e-8, max_iter=1000).fit(rows, good)
    ours = fit(found, good)
    assert np.abs(ours[used] - theirs.coef_[0]).max() < 1e-4
    assert np.count_nonzero(ours[:-1]) <= len(used) < BUCKETS
    assert abs(ours[-1] - theirs.intercept_[0]) < 1e-4


def test_calibration_finds_the_line_it_was_made_with() -> None:
    chance = np.random.default_rng(1)
    scores = chance.normal(size=20_000) * 4
    good = chance.random(20_000) < sigmoid(0.5 * scores - 1)
    scale, shift = calibrate(scores, good)
    assert (scale, shift) == (pytest.approx(0.5, abs=0.02), pytest.approx(-1, abs=0.05))
    for _, count, mean, share in reliability(sigmoid(scale * scores + shift), good):
        assert abs(mean - share) < 3 * np.sqrt(0.25 / count) + 0.02


def test_calibration_of_texts_that_are_told_apart_is_finite() -> None:
    scale, shift = calibrate(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]))
    assert np.isfinite([scale, shift]).all()
    assert scale > 0


def test_scores_the_wrong_way_round_count_for_nothing() -> None:
    good = np.array([True, False, False])
    assert calibrate(np.array([-1.0, 1.0, 2.0]), good) == (0.0, pytest.approx(np.log(2 / 3)))


def test_auc_is_that_of_scikit_learn_with_ties() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    chance = np.random.default_rng(2)
    scores, good = chance.integers(0, 9, 300).astype(float), chance.random(300) < 0.3
    assert auc(scores, good) == pytest.approx(metrics.roc_auc_score(good, scores))


def test_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
