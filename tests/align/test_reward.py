"""Rewards by hand, and what becomes of those that cannot be found."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.align import reward as rewards
from hornbook.align.reward import Contains, Function, Length, Model, PythonParses, Reward, Sum, Weighted
from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError

MINE = """
import math

def short(prompt, completion, row):
    return 1 / len(completion) + row.get("bonus", 0)

def odd(prompt, completion, row):
    found = {"nan": math.nan, "none": None, "text": "1.0", "raise": 1, "inf": math.inf}[completion]
    return found / 0 if completion == "raise" else found
"""


def row(completion: str, prompt: str = "say", **columns: Any) -> dict[str, Any]:
    return {"id": "rows.jsonl:7", "prompt": prompt, "completion": completion, "row": {"id": "rows.jsonl:7", **columns}}


def value(reward: Reward, *given: dict[str, Any]) -> list[dict[str, float]]:
    return [dict(parts) for parts in reward.build(Path)(given)]


@pytest.fixture
def mine(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(MINE)
    return str(tmp_path / "mine.py")


def test_a_function_sees_prompt_completion_and_row(mine: str) -> None:
    reward = Function(path=f"{mine}:short")
    assert value(reward, row("four"), row("ab", bonus=2)) == [{"short": 0.25}, {"short": 2.5}]
    assert reward.files == [Path(mine)]


@pytest.mark.parametrize(
    ("completion", "said"),
    [
        ("nan", "gave nan"),
        ("inf", "gave inf"),
        ("raise", "raised ZeroDivisionError: division by zero"),
        ("none", "gave None"),
        ("text", "gave '1.0'"),
        ("other", "raised KeyError: 'other'"),
    ],
)
def test_a_reward_that_is_no_number_stops_the_run_or_is_left_out(mine: str, completion: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        value(Function(path=f"{mine}:odd"), row(completion))
    assert str(error.value).startswith(f"rows.jsonl:7: the reward {mine}:odd {said}")
    (found,) = value(Function(path=f"{mine}:odd", skip_bad=True), row(completion))
    assert found["odd"] != found["odd"]


@pytest.mark.parametrize("place", ["{mine}:nothing", "{mine}", "nowhere.py:short"])
def test_a_function_that_is_not_there_is_told_at_once(mine: str, place: str) -> None:
    with pytest.raises(RecipeError, match=r"has no function 'nothing'|is no function of a file"):
        Function(path=place.format(mine=mine)).build(Path)


def test_what_a_program_can_check() -> None:
    head = 'def f(x):\n    "One."'
    bodies = [row("    return 1\n\ndef g(", head), row("    return (", head), row("    pass", head)]
    assert value(PythonParses(), *bodies) == [{"parses": 1.0}, {"parses": 0.0}, {"parses": 0.0}]
    assert value(Length(words=4), row("a b c d"), row("a b c"), row(""), row("a " * 40)) == [
        {"length": 0.0}, {"length": -0.25}, {"length": -1.0}, {"length": -1.0},
    ]  # fmt: skip
    assert value(Contains(words=("Grey",)), row("so GREY"), row("red")) == [{"contains": 1.0}, {"contains": 0.0}]
    assert value(Contains(words=("grey", "red"), wanted=False), row("red"), row("blue"))[1] == {"contains": 1.0}
    with pytest.raises(ValueError, match="is no text"):
        Length(words=0)


def test_a_sum_weighs_its_parts_and_keeps_them_apart(mine: str) -> None:
    reward = Sum(
        of=(
            Weighted(weight=2.0, reward=Contains(words=("a",))),
            Weighted(weight=-1.0, reward=Contains(words=("b",))),
            Weighted(weight=4.0, reward=Function(path=f"{mine}:short")),
        )
    )
    (found,) = value(reward, row("abcd"))
    assert found == {"contains": 2.0, "contains 2": -1.0, "short": 1.0}
    assert reward.files == [Path(mine)]


class Rewarder:
    """Gives a conversation the number of its words."""

    def scores(self, talks: list[list[dict[str, str]]]) -> torch.Tensor:
        return torch.tensor([float("nan") if "nan" in talk[-1]["content"] else len(talk) * 10.0 for talk in talks])


def test_a_reward_model_reads_the_whole_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    monkeypatch.setattr(rewards.RewardModel, "load", lambda path: (found.append(path), Rewarder())[1])
    score = Model(path="stage:reward").build(lambda name: Path("run") / name.removeprefix("stage:") / "model")
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    assert score([{**row("yes", "c"), "row": {"prompt": talk}}, row("yes")]) == [{"model": 40.0}, {"model": 20.0}]
    assert found == [Path("run/reward/model")]
    with pytest.raises(UserError, match=r"rows\.jsonl:7: the reward model stage:reward gave nan"):
        score([row("nan")])


def test_a_recipe_names_a_reward_by_its_type() -> None:
    said = {"type": "sum", "of": [{"weight": 2, "reward": "python_parses"}, {"reward": {"type": "length", "words": 9}}]}
    assert recipe.parse(Reward, said) == Sum(
        of=(Weighted(weight=2.0, reward=PythonParses()), Weighted(reward=Length(words=9)))
    )
