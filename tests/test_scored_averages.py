"""Categories and subjects in the terminal's table and in the report."""

from pathlib import Path

import pytest

from hornbook.evaluate import evaluation
from hornbook.evaluate.task import Outcome
from hornbook.scored import print_scores
from hornbook.scored_averages import rows, section
from hornbook.scored_report import page

CATEGORIES = {"science": ("high_school_physics", "algebra"), "letters": ("law",)}
RIGHT = {"high_school_physics": 9, "algebra": 3, "law": 6, "chess": 5}


def written(folder: Path) -> dict[str, object]:
    some = [
        Outcome(f"{subject}:{n}", subject, {"acc": float(n < right)}, {})
        for subject, right in RIGHT.items()
        for n in range(10)
    ]
    return evaluation.write(folder, "quiz", some, about={}, categories=CATEGORIES)


def test_rows_of_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = written(tmp_path)
    task = found["tasks"]["quiz"]  # type: ignore[index]
    named = {name: each[0]["value"] for name, each in rows("acc", [task, {}])}
    assert named == pytest.approx({"mean of subjects": 23 / 40, "science": 12 / 20, "letters": 0.6})
    assert rows("acc", [{}, {}]) == []
    print_scores({"tiny": found})
    said = capsys.readouterr().out
    assert "acc, mean of subjects" in said
    assert "acc, science" in said


def test_the_report_groups_subjects_by_category(tmp_path: Path) -> None:
    found = written(tmp_path)
    parts = "".join(section(found["tasks"]["quiz"], "acc"))  # type: ignore[index]
    assert "Categories, over their questions: best at science (60%)" in parts
    assert "science: best at high school physics (90%), worst at algebra (30%)" in parts
    assert "other subjects: best at chess (50%)" in parts
    assert "2 of 2" in parts
    assert "science: best at high school physics" in page({"tiny": found}, {"tiny": tmp_path})


def test_subjects_without_categories(tmp_path: Path) -> None:
    some = [Outcome(f"{s}:{n}", s, {"acc": float(n < 2)}, {}) for s in ("a", "b") for n in range(2 + (s == "b"))]
    found = evaluation.write(tmp_path, "quiz", some, about={})["tasks"]["quiz"]
    parts = "".join(section(found, "acc"))
    assert "Best at a (100%), worst at b (67%)" in parts
    assert section({"acc": found["acc"]}, "acc") == []
