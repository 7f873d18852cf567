"""Rows of preferences: the probability is the judge's, and a judge that knows better is right."""

from pathlib import Path

import pytest

from hornbook.align.judge import CLAMP
from hornbook.core.errors import RecipeError
from hornbook.data import rows as data
from hornbook.data.preferences import preferences
from hornbook.tune.judge import Judge
from tests.tune.asking import files, ledger, make


def test_rows_are_preferences_of_the_models_own_answers(tmp_path: Path) -> None:
    found = make(Judge, tmp_path, "judge", files(tmp_path))
    told = ledger(tmp_path, "judge")
    assert told["prompts"] == 40
    assert len(found) == told["rows"] == 40 - sum(told["dropped"].values())
    for row in found:
        assert 0.5 <= row["probability"] <= 1
        assert row["chosen"] != row["rejected"]
        assert row["provenance"]["rule"] in ("no_a", "no_b")
    read = [preferences(row) for row in data.read(tmp_path / "judge" / "rows.jsonl")]
    assert [(row["chosen"], row["rejected"]) for row in read] == [(row["chosen"], row["rejected"]) for row in found]
    assert make(Judge, tmp_path, "again", files(tmp_path)) == found
    assert make(Judge, tmp_path, "other", files(tmp_path), seed=1) != found


def test_a_judge_that_thinks_is_never_sure(tmp_path: Path) -> None:
    think = {"manner": {"max_new_tokens": 4}}
    found = make(Judge, tmp_path, "judge", {**files(tmp_path), "think": think})
    assert all(row["probability"] <= CLAMP[1] + 1e-9 for row in found)
    with pytest.raises(RecipeError, match=r"clamp: \[0\.6, 0\.9\] does not hold 0\.5"):
        make(Judge, tmp_path, "x", {**files(tmp_path), "think": {"clamp": [0.6, 0.9]}})


def test_what_the_judge_is_not_sure_of_may_be_left_out(tmp_path: Path) -> None:
    every = make(Judge, tmp_path, "all", files(tmp_path))
    middle = sorted(row["probability"] for row in every)[len(every) // 2]
    sure = make(Judge, tmp_path, "sure", {**files(tmp_path), "surest": middle})
    assert sure == [row for row in every if row["probability"] >= middle]
    assert ledger(tmp_path, "sure")["dropped"]["not sure"] == len(every) - len(sure)


def test_the_judge_may_be_another_model(tmp_path: Path) -> None:
    own = make(Judge, tmp_path, "own", files(tmp_path))
    same = make(Judge, tmp_path, "same", {**files(tmp_path), "judge": str(tmp_path / "model")})
    assert [row["probability"] for row in same] == [row["probability"] for row in own]
