"""The built-in judges, in two languages, and a user's own."""

from pathlib import Path

import pytest

from hornbook.core.errors import RecipeError
from hornbook.evaluate import judge
from hornbook.evaluate.answered import Answered, Turn
from hornbook.evaluate.grade import Score
from hornbook.evaluate.pairwise import Pairwise, both_orders
from hornbook.evaluate.preference import Preference
from hornbook.evaluate.truth import Truth

NAMES = ["score", "prometheus", "mt_bench", "pairwise", "alpaca", "truth"]
ONE = Answered("1", "f:1", (Turn("What is two and two?", "It is five.", "It is four."),))


@pytest.mark.parametrize("name", [each + language for each in NAMES for language in ("", "-zh")])
def test_a_built_in_judge_reads_the_answer(name: str) -> None:
    found = judge.load(name)
    if isinstance(found, Truth):
        return
    compares = isinstance(found, Pairwise | Preference)
    columns = both_orders([(ONE, ONE)])[0] if compares else found.columns(ONE)
    asked = found.question(columns).talk[0]["content"]
    assert "What is two and two?" in asked
    assert asked.count("It is five.") == 1 + compares
    assert ("问" in asked or "请" in asked) == name.endswith("-zh")


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_judge_alike(name: str) -> None:
    one, other = judge.load(name), judge.load(f"{name}-zh")
    assert type(one) is type(other)
    for field in ("low", "high", "max_new_tokens", "first", "second", "tie"):
        assert getattr(one, field, None) == getattr(other, field, None)


def test_a_file_of_the_users_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("{type: score, prompt: '{{answer}}?', low: 1, high: 3, pattern: '([123])'}", encoding="utf-8")
    found = judge.load(str(file))
    assert isinstance(found, Score)
    assert found.scale == (1, 3)


def test_a_mistyped_name_is_told() -> None:
    with pytest.raises(RecipeError, match="judges/scores: no such recipe file, nor a built-in recipe"):
        judge.load("scores")
