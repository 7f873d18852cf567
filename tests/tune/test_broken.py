"""Shares with intervals, and the prompts of a side."""

import json
from pathlib import Path

import pytest

from hornbook.align.rules import Example, Rule, Rules
from hornbook.core.errors import RecipeError
from hornbook.data.conversations import Prompts
from hornbook.data.split import Split
from hornbook.generate.endpoint import Endpoint
from hornbook.tune.broken import asked_of, model_of, share, shares, side
from tests.tune.doubles import place_at


def test_a_share_has_wilsons_interval() -> None:
    assert share(8, 10) == {"value": 0.8, "interval": [0.4902, 0.9433], "of": 10}
    assert share(0, 0)["value"] == 0


def test_rules_that_need_a_model_are_not_counted() -> None:
    rules = Rules(rules=(Rule(name="calm", pattern="!"), Rule(name="kind", question="?")))
    found = shares(rules, [("a", "b!"), ("a", "b")])
    assert {name: each["value"] for name, each in found.items()} == {"calm": 0.5, "any": 0.5}
    assert shares(Rules(rules=(Rule(name="kind", question="?"),)), [("a", "b")]) == {}


def test_a_side_of_the_prompts(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"p{number}"}) + "\n" for number in range(10)))
    prompts, place = Prompts(source=str(path), split=Split(train=0.7, validation=0.3)), place_at(tmp_path, tmp_path)
    assert [len(side(prompts, part, place)) for part in ("train", "validation", "all")] == [7, 3, 10]
    with pytest.raises(RecipeError, match="part: no prompts are for test; name another part"):
        side(prompts, "test", place)


def test_without_prompts_the_rules_own_examples_are_asked(tmp_path: Path) -> None:
    example = Example(prompt="Hello?", answer="a", breaks=False)
    rules = Rules(rules=(Rule(name="kind", question="?", examples=(example, example)),))
    place = place_at(tmp_path, tmp_path)
    assert asked_of(None, "train", place, rules) == [
        {"prompt": [{"role": "user", "content": "Hello?"}], "id": "example 1"}
    ]
    with pytest.raises(RecipeError, match="prompts: none are given and the rules have no examples"):
        asked_of(None, "train", place, Rules(rules=(Rule(name="kind"),)))


def test_who_is_asked(tmp_path: Path) -> None:
    place = place_at(tmp_path, Path("base"), stages={"first": Path("run/first")})
    endpoint = Endpoint(url="http://a", name="m")
    assert model_of(None, place) == Path("base")
    assert model_of("stage:first", place) == Path("run/first/model")
    assert model_of("some/model", place) == Path("some/model")
    assert model_of(endpoint, place) is endpoint
