"""Scores of classifiers against scikit-learn's and by hand."""

import numpy as np
import pytest

from hornbook.evaluate.classes import confusion, macro_f1, told


def test_by_hand() -> None:
    """Nine ham, one spam; all is called ham but one ham, which is called spam."""
    found = told([0] * 9 + [1], [1] + [0] * 9, ["ham", "spam"])
    assert found["accuracy"]["value"] == 0.8
    assert found["accuracy"]["interval"] == pytest.approx([0.490, 0.943], abs=1e-3)
    assert found["confusion"] == {"names": ["ham", "spam"], "rows": [[8, 1], [1, 0]]}
    assert found["classes"]["ham"] == {
        "precision": pytest.approx(8 / 9),
        "recall": pytest.approx(8 / 9),
        "f1": pytest.approx(8 / 9),
        "of": 9,
    }
    assert found["classes"]["spam"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "of": 1}
    assert found["macro_f1"]["value"] == pytest.approx(4 / 9)


def test_scikit_learn_says_the_same() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    found = told(truth.tolist(), said.tolist(), list("abcd"))
    assert found["confusion"]["rows"] == metrics.confusion_matrix(truth, said).tolist()
    assert found["macro_f1"]["value"] == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    precision, recall, f1, of = metrics.precision_recall_fscore_support(truth, said)
    for number, name in enumerate("abcd"):
        assert list(found["classes"][name].values()) == pytest.approx(
            [precision[number], recall[number], f1[number], of[number]]
        )


def test_the_error_bar_narrows_with_the_rows() -> None:
    def width(rows: int) -> float:
        truth = np.arange(rows) % 2
        said = np.where(np.arange(rows) % 10 == 0, 1 - truth, truth)
        low, high = told(truth.tolist(), said.tolist(), ["a", "b"])["macro_f1"]["interval"]
        assert low < 0.9 < high
        return high - low

    assert 2 < width(100) / width(1600) < 8


def test_a_class_that_is_nowhere_has_no_say() -> None:
    assert macro_f1(confusion(np.array([0, 1]), np.array([0, 1]), 3)) == 1.0
