"""Two answers in both orders: wins, ties, and verdicts that turn with the order."""

from pathlib import Path

import pytest

from hornbook.evaluate import judge as judges
from hornbook.evaluate.answered import Answered, Turn
from hornbook.evaluate.cache import Cache
from hornbook.evaluate.heard import Ear
from hornbook.evaluate.pairwise import Pairwise, compare, flips, tally, value
from hornbook.generate.question import Reply
from tests.evaluate.scripted_judge import ScriptedJudge


def answered(number: int, *answers: str) -> Answered:
    turns = tuple(Turn(f"question {number}.{turn}?", answer) for turn, answer in enumerate(answers))
    return Answered(str(number), f"f:{number}", turns)


def judge(name: str = "pairwise") -> Pairwise:
    found = judges.load(name)
    assert isinstance(found, Pairwise)
    return found


def longer_wins(text: str, _: int) -> str:
    """A judge that says which of the two answers has more letters."""
    a, b = (text.split(f"assistant {name} answered ---")[1].split("---")[0].strip() for name in "AB")
    return f"So [[{'A' if len(a) > len(b) else 'B' if len(b) > len(a) else 'C'}]]"


PAIRS = [
    (answered(1, "long answer"), answered(1, "short")),
    (answered(2, "no"), answered(2, "certainly")),
    (answered(3, "same"), answered(3, "size")),
]


def test_a_judge_that_does_not_care_for_places(tmp_path: Path) -> None:
    scripted = ScriptedJudge(longer_wins)
    outcomes, heard = compare(Ear(scripted, Cache(tmp_path, "j")), judge(), PAIRS)
    assert [one.metrics["win"] for one in outcomes] == [1.0, 0.0, 0.5]
    assert len(heard) == len(scripted.asked) == 6
    found = tally(outcomes)
    assert (found["won"], found["tied"], found["lost"], found["chance"]) == (1, 1, 1, 1.0)
    assert found["position_bias"]["value"] == 0


def test_a_judge_that_likes_the_first_place_decides_nothing(tmp_path: Path) -> None:
    outcomes, _ = compare(Ear(ScriptedJudge(lambda *_: "[[A]]"), Cache(tmp_path, "j")), judge(), PAIRS)
    assert [one.metrics["win"] for one in outcomes] == [0.5] * 3
    bias = tally(outcomes)["position_bias"]
    assert (bias["value"], bias["of"], bias["first"], bias["second"]) == (1.0, 3, 3, 0)


def test_a_verdict_of_one_order_alone_is_left_out(tmp_path: Path) -> None:
    def halting(text: str, _: int) -> str:
        return "[[A]]" if text.index("long answer") < text.index("short") else "neither"

    outcomes, _ = compare(Ear(ScriptedJudge(halting), Cache(tmp_path, "j")), judge(), PAIRS[:1])
    assert outcomes[0].metrics == {}
    assert outcomes[0].detail["left_out"] == "no verdict in the reply"


def test_who_says_nothing_loses(tmp_path: Path) -> None:
    scripted = ScriptedJudge(longer_wins)
    some = [
        (answered(1, ""), answered(1, "x")),
        (answered(2, "x"), answered(2, "")),
        (answered(3, ""), answered(3, "")),
    ]
    outcomes, _ = compare(Ear(scripted, Cache(tmp_path, "j")), judge(), some)
    assert [one.metrics["win"] for one in outcomes] == [0.0, 1.0, 0.5]
    assert scripted.asked == []


@pytest.mark.parametrize("name", ["pairwise", "pairwise-zh"])
def test_several_turns_are_judged_together(name: str, tmp_path: Path) -> None:
    scripted = ScriptedJudge(lambda *_: "[[C]]")
    compare(Ear(scripted, Cache(tmp_path, "j")), judge(name), [(answered(1, "u1", "u2"), answered(1, "v1", "v2"))])
    straight, turned = (question.talk[0]["content"] for question in scripted.asked)
    assert straight.index("u1") < straight.index("u2") < straight.index("v1") < straight.index("v2")
    assert turned.index("v1") < turned.index("v2") < turned.index("u1") < turned.index("u2")
    assert "question 1.1?" in straight


@pytest.mark.parametrize(
    ("straight", "turned", "win"),
    [("first", "second", 1.0), ("second", "first", 0.0), ("tie", "tie", 0.5), ("tie", "second", 0.5)],
)
def test_a_win_is_a_win_in_both_orders(straight: str, turned: str, win: float) -> None:
    assert value(straight, turned) == win  # type: ignore[arg-type]


def test_a_reply_with_two_verdicts_has_none() -> None:
    assert judge().read(Reply("[[A]] ... no, [[B]]")) is None
    assert judge().read(Reply("A is better")) is None
    assert judge().read(Reply("better: [[B]]")) == "second"


def test_without_two_orders_there_is_no_bias_to_tell() -> None:
    assert flips([{"empty": True}]) == {}


def test_verdicts_differ() -> None:
    with pytest.raises(ValueError, match="three different verdicts"):
        Pairwise(prompt="p", first="A", second="A", tie="C", pattern="(A|C)")
