"""From judgements to numbers, by hand; agreement on published tables."""

import math

import numpy as np
import pytest

from hornbook.evaluate.agreement import cohen, fleiss, weighted
from hornbook.evaluate.interval import wilson
from hornbook.evaluate.judgements import Rating
from hornbook.evaluate.opinions import agreements, left, marks, seconds, win_rate, wins


def vote(id: str, said: object, rater: str = "Ann", **more: object) -> Rating:
    return Rating(id=id, rater=rater, **{"models": ("x", "y"), "said": said, **more})  # type: ignore[arg-type]


def test_a_win_rate_by_hand() -> None:
    """6 wins, 2 losses, a tie and both bad: 7 of 10; of the 8 decided ones 6 on one side."""
    ratings = [vote(str(n), said) for n, said in enumerate(["a"] * 6 + ["b"] * 2 + ["tie", "bad"])]
    found = win_rate(ratings, "x", "y")
    assert found.value == pytest.approx(0.7)
    assert found.interval == wilson(7, 10)
    assert found.chance == pytest.approx(2 * (1 + 8 + 28) / 256)
    assert found.counts == {"a": 6, "b": 2, "tie": 1, "bad": 1}
    other = win_rate(ratings, "y", "x")
    assert (other.value, other.counts["b"], other.prompts) == (pytest.approx(0.3), 6, 10)


def test_a_prompt_counts_once_however_many_judged_it() -> None:
    ratings = [vote("1", "a"), vote("1", "a", "Bo"), vote("1", "b", "Cy"), vote("2", "b")]
    found = win_rate(ratings, "x", "y")
    assert (found.value, found.prompts) == (pytest.approx(1 / 3), 2)
    assert wins(ratings, ["x", "y"])[:, 0, 1] == pytest.approx([2 / 3, 0])
    assert wins(ratings, ["x", "y"]).sum((1, 2)).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (["a"] * 12, "x is better than y"),
        (["b"] * 12, "y is better than x, which wins 0.000"),
        (["a", "b"], "no difference"),
    ],
)
def test_the_sentence_says_whether_there_is_a_difference(said: list[str], sentence: str) -> None:
    found = win_rate([vote(str(number), each) for number, each in enumerate(said)], "x", "y")
    assert sentence in found.sentence("x", "y")


def test_nobody_has_judged() -> None:
    assert math.isnan(win_rate([], "x", "y").value)
    assert math.isnan(seconds([]))
    assert left([]) == (0, 0)


def test_the_left_one_is_counted_where_somebody_won() -> None:
    ratings = [vote("1", "a", side="a"), vote("2", "a", side="b"), vote("3", "b", side="b"), vote("4", "tie", side="a")]
    assert left(ratings) == (2, 3)


def test_marks_are_means_over_raters() -> None:
    ratings = [vote("1", {"good": n}, rater, models=("x",)) for rater, n in (("Ann", 2), ("Bo", 5))]
    assert marks(ratings, "x", "good") == {"1": 3.5}
    assert marks(ratings, "y", "good") == {}


# Fleiss 1971, table 1: 30 patients, 6 psychiatrists each, five diagnoses; his kappa is 0.430.
PATIENTS = """
0 0 0 6 0 / 0 3 0 0 3 / 0 1 4 0 1 / 0 0 0 0 6 / 0 3 0 3 0 / 2 0 4 0 0 / 0 0 4 0 2 / 2 0 3 1 0 / 2 0 0 4 0 / 0 0 0 0 6
1 0 0 5 0 / 1 1 0 4 0 / 0 3 3 0 0 / 1 0 0 5 0 / 0 2 0 3 1 / 0 0 5 0 1 / 3 0 0 1 2 / 5 1 0 0 0 / 0 2 0 4 0 / 1 0 2 0 3
0 0 0 0 6 / 0 1 0 5 0 / 0 2 0 1 3 / 2 0 0 4 0 / 1 0 0 4 1 / 0 5 0 1 0 / 4 0 0 0 2 / 0 2 0 4 0 / 1 0 5 0 0 / 0 0 0 0 6
"""


def patients() -> list[list[int]]:
    rows = [[*map(int, row.split())] for row in PATIENTS.replace("\n", "/").split("/") if row.strip()]
    return [[name for name, count in enumerate(row) for _ in range(count)] for row in rows]


def test_fleiss_own_table() -> None:
    assert len(patients()) == 30
    assert fleiss(patients()) == pytest.approx(0.430, abs=0.0005)


def test_raters_of_verdicts_through_the_whole_way() -> None:
    """The same table as judgements of six raters; and Cohen's case: 20 + 15 of 50 alike, luck is 0.5, kappa 0.4."""
    names = ["a", "b", "tie", "bad", "none"]
    ratings = [vote(str(p), names[said], f"r{r}") for p, row in enumerate(patients()) for r, said in enumerate(row)]
    (found,) = agreements(ratings)
    assert (found.of, found.things, len(found.kappas)) == ("verdicts", 30, 15)
    assert found.fleiss == pytest.approx(0.430, abs=0.0005)
    table = [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15
    two = [vote(str(n), said, rater) for n, pair in enumerate(table) for rater, said in zip("AB", pair, strict=True)]
    (found,) = agreements(two)
    assert found.kappas["A", "B"] == (pytest.approx(0.4), 50)
    assert found.same == pytest.approx(0.7)
    assert math.isnan(found.fleiss)
    assert cohen(*zip(*table, strict=True)) == pytest.approx(0.4)


def test_raters_of_scales() -> None:
    given = {"Ann": [1, 2, 3, 4], "Bo": [2, 2, 3, 5]}
    ratings = [
        vote(str(n), {"good": mark, "fine": 3}, rater, models=("x",))
        for rater, numbers in given.items()
        for n, mark in enumerate(numbers)
    ]
    good, fine = agreements(ratings, ["good", "fine"])
    assert good.kappas["Ann", "Bo"][0] == pytest.approx(5 / 6)
    assert good.same == pytest.approx(0.5)
    assert math.isnan(fine.alpha)


def test_one_rater_agrees_with_nobody() -> None:
    (found,) = agreements([vote("1", "a"), vote("2", "b")])
    assert (found.things, dict(found.kappas)) == (0, {})
    assert math.isnan(found.alpha)


def test_weighted_kappa_by_cohens_own_formula() -> None:
    """One less the weighted share of disagreements seen over those that the margins make likely (Cohen 1968)."""
    one, other = np.random.default_rng(0).integers(1, 6, size=(2, 60))
    seen = np.zeros((5, 5))
    np.add.at(seen, (one - 1, other - 1), 1 / 60)
    apart = np.subtract.outer(np.arange(5), np.arange(5)) ** 2
    luck = np.outer(seen.sum(1), seen.sum(0))
    assert weighted(one, other) == pytest.approx(1 - (apart * seen).sum() / (apart * luck).sum())
    assert weighted([1, 2, 3], [1, 2, 3]) == 1
    assert math.isnan(weighted([], []))
    assert math.isnan(weighted([2, 2], [2, 2]))
    with pytest.raises(ValueError, match="2 and 1 ratings"):
        weighted([1, 2], [1])
