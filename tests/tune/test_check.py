"""Counting by the rules: a rated row for each answer, shares with intervals, by checks and by a judge."""

from pathlib import Path

import pytest

from hornbook.align.rules import Rule, Rules
from hornbook.core.errors import RecipeError
from hornbook.data import rows as data
from hornbook.data.labels import labels
from hornbook.tune.check import Check, Rater
from tests.align.scripted import Scripted
from tests.tune.asking import files, ledger, make

TALKS = [[{"role": "user", "content": "Hello?"}]] * 2


def test_rows_are_rated_and_counted(tmp_path: Path) -> None:
    found = make(Check, tmp_path, "check", {**files(tmp_path), "samples": 3})
    assert len(found) == 3 * 10
    broken = [("a" in row["answer"]) for row in found]
    assert [row["breaks_no_a"] == "yes" for row in found] == broken
    told = ledger(tmp_path, "check")
    assert told["broken"]["no_a"]["value"] == pytest.approx(sum(broken) / 30)
    assert told["broken"].keys() == {"no_a", "any"}, "nobody was there to ask about the other rule"
    rated = [labels(row, label="breaks_no_a") for row in data.read(tmp_path / "check" / "rows.jsonl")]
    assert rated[0]["text"].startswith("Human: the cat")
    assert {row["label"] for row in rated} <= {"yes", "no"}


def test_a_judge_is_asked_about_rules_without_a_check(tmp_path: Path) -> None:
    found = make(Check, tmp_path, "check", {**files(tmp_path), "judge": str(tmp_path / "model")})
    assert all(row["breaks_no_b"] in ("yes", "no") for row in found)


def test_a_check_comes_before_a_judge() -> None:
    rules = Rules(rules=(Rule(name="calm", pattern="!", question="?"), Rule(name="kind", question="Is it unkind?")))
    judge = Scripted(leans=lambda talk, begun, option: 3.0 if (option == " yes") == ("Go" in talk[0]["content"]) else 1)
    one, two = Rater(rules, judge).rate(TALKS, ["Hi!", "Go."])
    assert (one["breaks_calm"], one["breaks_kind"]) == ("yes", "no")
    assert (two["breaks_calm"], two["breaks_kind"]) == ("no", "yes")


def test_rules_about_which_nothing_can_be_said_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="none has a pattern or a function, and there is no judge"):
        Rater(Rules(rules=(Rule(name="kind", question="?"),)))
    with pytest.raises(RecipeError, match="samples: 0 answer nothing"):
        make(Check, tmp_path, "x", {**files(tmp_path), "samples": 0})


def test_an_assistants_answers_are_checked_as_well(tmp_path: Path) -> None:
    fields = files(tmp_path)
    assistant = tmp_path / "assistant.yaml"
    assistant.write_text(
        f"rank: {{type: sparrow, rules: {tmp_path}/only.yaml, samples: 6}}\nmanner: {{max_new_tokens: 6}}"
    )
    (tmp_path / "only.yaml").write_text("rules: [{name: no_a, pattern: a}]")
    plain = make(Check, tmp_path, "plain", {**fields, "part": "all"})
    ranked = make(Check, tmp_path, "ranked", {**fields, "part": "all", "assistant": str(assistant)})
    was, now = (ledger(tmp_path, name)["broken"]["no_a"] for name in ("plain", "ranked"))
    assert len(plain) == len(ranked) == 50
    assert now["value"] < was["value"] / 2
