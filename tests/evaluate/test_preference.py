"""Preferences by one letter: from log-probabilities where they are told, from the letter where not."""

import math
from pathlib import Path

import pytest

from hornbook.evaluate import judge as judges
from hornbook.evaluate.answered import Answered, Turn
from hornbook.evaluate.cache import Cache
from hornbook.evaluate.heard import Ear
from hornbook.evaluate.preference import Preference, prefer, rates, share_of
from hornbook.generate.question import Reply
from tests.evaluate.scripted_judge import ScriptedJudge


def judge(name: str = "alpaca") -> Preference:
    found = judges.load(name)
    assert isinstance(found, Preference)
    return found


def pair(number: int, ours: str, theirs: str, **columns: float) -> tuple[Answered, Answered]:
    one, other = (Turn(f"question {number}?", said) for said in (ours, theirs))
    return Answered(str(number), f"a:{number}", (one,), row=columns), Answered(str(number), f"b:{number}", (other,))


def weighs(text: str, _: int) -> Reply:
    """80 % for the answer that says yes, and 10 points for whichever is shown first."""
    first_says_yes = "yes" in text.split("### Answer A")[1].split("### Answer B")[0]
    share = 0.9 if first_says_yes else 0.3
    return Reply("A", {"A": math.log(share * 0.8), " B": math.log((1 - share) * 0.8), "The": math.log(0.2)})


PAIRS = [pair(1, "yes", "no"), pair(2, "never", "yes, of course")]


@pytest.mark.parametrize("name", ["alpaca", "alpaca-zh"])
def test_a_reply_is_a_probability(name: str) -> None:
    found = judge(name)
    assert found.read(Reply("A", {"A": math.log(0.3), "B": math.log(0.1)})) == pytest.approx(0.75)
    assert found.read(Reply("A")) == 1
    assert found.read(Reply(" (B).")) == 0
    assert found.read(Reply("Answer A")) is None
    assert found.read(Reply("Well", {"Well": math.log(0.99), "A": math.log(0.01)})) is None


def test_case_counts() -> None:
    assert share_of({"m": math.log(0.6), "M": math.log(0.2)}, "m", "M") == pytest.approx(0.75)


def test_a_liking_for_a_place_cancels_out(tmp_path: Path) -> None:
    scripted = ScriptedJudge(weighs)
    outcomes, heard = prefer(Ear(scripted, Cache(tmp_path, "j")), judge(), PAIRS)
    assert [one.metrics["win"] for one in outcomes] == pytest.approx([0.8, 0.2])
    assert [one.detail["longer"] for one in outcomes] == [1, -9]
    assert all(question.weights for question in scripted.asked)
    assert len(heard) == 4
    found = rates(outcomes)
    assert found["position_bias"]["value"] == 0
    assert found["length_controlled"]["of"] == 2


def test_what_is_remembered_keeps_its_probabilities(tmp_path: Path) -> None:
    first, _ = prefer(Ear(ScriptedJudge(weighs), Cache(tmp_path, "j")), judge(), PAIRS)
    silent = ScriptedJudge(lambda *_: None)
    again, _ = prefer(Ear(silent, Cache(tmp_path, "j")), judge(), PAIRS)
    assert again == first
    assert silent.asked == []


def test_a_judge_of_places_turns_every_verdict(tmp_path: Path) -> None:
    outcomes, _ = prefer(Ear(ScriptedJudge(lambda *_: "A"), Cache(tmp_path, "j")), judge(), PAIRS)
    assert [one.metrics["win"] for one in outcomes] == [0.5, 0.5]
    assert rates(outcomes)["position_bias"]["first"] == 2


def test_difficulty_is_taken_from_the_rows(tmp_path: Path) -> None:
    some = [pair(n, "yes" if n % 3 else "no", "maybe", difficulty=float(n)) for n in range(12)]
    outcomes, _ = prefer(Ear(ScriptedJudge(weighs), Cache(tmp_path, "j")), judge(), some)
    assert all("difficulty" in one.detail for one in outcomes)
    assert 0 < rates(outcomes)["length_controlled"]["value"] < 1


def test_who_says_nothing_loses_and_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    outcomes, _ = prefer(
        Ear(ScriptedJudge(lambda *_: "perhaps"), Cache(tmp_path, "j")), judge(), [pair(1, "", "x"), pair(2, "x", "y")]
    )
    assert [dict(one.metrics) for one in outcomes] == [{"win": 0.0}, {}]
    assert rates(outcomes[1:]) == {}


def test_the_two_letters_differ() -> None:
    with pytest.raises(ValueError, match="two different words"):
        Preference(prompt="p", first="A", second="A")
