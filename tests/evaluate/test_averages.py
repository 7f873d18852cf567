"""Averages over questions and over subjects, of a benchmark and of its categories."""

import math
from pathlib import Path

import numpy as np
import pytest

from hornbook.evaluate import evaluation, tasks
from hornbook.evaluate.averages import averages, mean_of_subjects
from hornbook.evaluate.task import Outcome


def outcomes(subject: str, right: int, of: int) -> list[Outcome]:
    return [Outcome(f"{subject}:{n}", subject, {"acc": float(n < right)}, {}) for n in range(of)]


SOME = [*outcomes("algebra", 1, 10), *outcomes("physics", 30, 40), *outcomes("law", 8, 10), *outcomes("chess", 0, 5)]
CATEGORIES = {"science": ("algebra", "physics", "biology"), "rest": ("law",), "none": ("history",)}


def test_questions_and_subjects_weigh_as_they_are_published() -> None:
    found = averages(SOME, CATEGORIES)["averages"]
    assert found["subjects"]["acc"]["value"] == pytest.approx((0.1 + 0.75 + 0.8 + 0) / 4)
    assert found["subjects"]["acc"]["of"] == 4
    science = found["categories"]["science"]
    assert science["questions"]["acc"]["value"] == pytest.approx(31 / 50)
    assert science["subjects"]["acc"]["value"] == pytest.approx((0.1 + 0.75) / 2)
    assert (science["asked"], science["has"]) == (["algebra", "physics"], 3)
    assert list(found["categories"]) == ["science", "rest"]


def test_the_error_is_that_of_questions_within_subjects() -> None:
    """Var = sum of p(1-p)/(n-1) over subjects, over k squared; the interval holds about two of them."""
    found = mean_of_subjects([[1.0] * 3 + [0.0] * 7, [1.0] * 30 + [0.0] * 10])
    error = math.sqrt(0.3 * 0.7 / 9 + 0.75 * 0.25 / 39) / 2
    assert found.standard_error == pytest.approx(error)
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * error, rel=0.12)
    same = mean_of_subjects([np.random.default_rng(0).uniform(size=50).tolist()])
    assert same.interval[0] < same.value < same.interval[1]


def test_where_there_are_no_subjects_there_is_nothing(tmp_path: Path) -> None:
    assert averages([Outcome("1", "", {"acc": 1.0}, {})], CATEGORIES) == {}
    assert averages(outcomes("law", 1, 2), CATEGORIES) == {}
    written = evaluation.write(tmp_path, "quiz", SOME, about={}, categories=CATEGORIES)["tasks"]["quiz"]
    assert written["acc"]["value"] == pytest.approx(39 / 65)
    assert written["averages"]["categories"]["rest"]["questions"]["acc"]["of"] == 10


@pytest.mark.parametrize(
    ("name", "subjects", "sizes"),
    [
        ("mmlu", 57, {"STEM": 18, "humanities": 13, "social sciences": 12, "other": 14}),
        ("ceval", 52, {"STEM": 20, "humanities": 11, "social sciences": 10, "other": 11, "hard": 8}),
        ("cmmlu", 67, {"STEM": 17, "humanities": 13, "social sciences": 22, "other": 15, "China specific": 15}),
    ],
)
def test_categories_are_as_many_as_the_papers_say(name: str, subjects: int, sizes: dict[str, int]) -> None:
    found = tasks.load(name).categories
    assert {category: len(some) for category, some in found.items()} == sizes
    assert len({subject for some in found.values() for subject in some}) == subjects
    inside = {"hard": "STEM"}
    for category, part in inside.items():
        assert set(found.get(category, ())) <= set(found[part])


def test_the_files_subjects_have_a_category(shared_data: Path) -> None:
    for name in ("mmlu", "cmmlu"):
        task = tasks.load(name)
        known = {subject for some in task.categories.values() for subject in some}
        assert set(task.data.subjects(shared_data / "benchmarks")) <= known
