"""Both rankings by hand."""

import math
from pathlib import Path

import pytest

from hornbook.align.rank import Lamda, QualityRanker, RuleRanker, Sparrow
from hornbook.align.score import Question
from hornbook.core.errors import RecipeError
from tests.align.scripted import Scripted

TALK = [{"role": "user", "content": "Hello?"}]
TEXTS = ["a", "b", "c"]


def given(*numbers: float):
    return lambda talk, answers: list(numbers)


def test_sparrows_score_by_hand() -> None:
    ranker = RuleRanker({"kind": given(0.0, 0.5, 0.1), "true": given(0.0, 0.0, 0.9)}, given(-1.0, 2.0, 2.0))
    found = {each.text: each.score for each in ranker.rank(TALK, TEXTS)}
    assert found["a"] == pytest.approx(1 / (1 + math.e))
    assert found["b"] == pytest.approx(1 / (1 + math.exp(-2)) * math.sqrt(0.5 * 1.0))
    assert found["c"] == pytest.approx(1 / (1 + math.exp(-2)) * math.sqrt(0.9 * 0.1))
    assert list(found) == ["b", "a", "c"]


def test_without_a_reward_model_the_rules_decide() -> None:
    ranker = RuleRanker({"kind": given(0.9, 0.2, 0.5)})
    assert [each.text for each in ranker.rank(TALK, TEXTS)] == ["b", "c", "a"]


def test_lamda_filters_by_safety_and_ranks_by_its_weights() -> None:
    qualities = {
        "safe": given(0.9, 0.9, 0.4),
        "sensible": given(0.5, 0.9, 1.0),
        "specific": given(1.0, 0.2, 1.0),
        "interesting": given(0.9, 0.1, 1.0),
    }
    found = QualityRanker(qualities, 0.8).rank(TALK, TEXTS)
    assert [(each.text, each.kept) for each in found] == [("a", True), ("b", True), ("c", False)]
    assert found[0].score == pytest.approx(3 * 0.5 + 1.0 + 0.9)
    assert found[1].score == pytest.approx(3 * 0.9 + 0.2 + 0.1)


def test_qualities_are_asked_of_the_model(tmp_path: Path) -> None:
    names = ("safe", "sensible", "specific", "interesting")
    config = Lamda(**{name: Question(question=f"Is it {name}?") for name in names})

    def leans(talk, begun, option):
        return 3.0 if option == " yes" and "sensible" in talk[0]["content"] else 1.0

    (first, *_) = config.build(Scripted(leans=leans)).rank(TALK, TEXTS)
    assert first.marks == pytest.approx({"safe": 0.5, "sensible": 0.75, "specific": 0.5, "interesting": 0.5})


def test_rules_are_checked_or_asked(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text('rules: [{name: calm, pattern: "!"}, {name: kind, question: "Is it unkind?"}]')
    ranker = Sparrow(rules=str(path)).build(
        Scripted(leans=lambda talk, begun, option: 1.0 if option == " yes" else 3.0)
    )
    found = ranker.rank(TALK, ["Go!", "Go."])
    assert [each.text for each in found] == ["Go.", "Go!"]
    assert found[0].marks == {"calm": 0.0, "kind": 0.25, "preference": 0.0}
    assert found[1].score == 0.0


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules: [{name: calm, principle: Calm.}]")
    with pytest.raises(RecipeError, match="rule calm: nothing says whether it is broken; give a pattern"):
        Sparrow(rules=str(path)).build(Scripted())
    with pytest.raises(RecipeError, match=r"classifiers: 'clam' is no rule of .*, which has calm"):
        Sparrow(rules=str(path), classifiers={"clam": None}).build(Scripted())  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"safe_at_least: 1 is no probability"):
        Lamda(**dict.fromkeys(("safe", "sensible", "specific", "interesting"), Question(question="?")), safe_at_least=1)
