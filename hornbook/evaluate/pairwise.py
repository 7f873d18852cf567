"""A judge says which of two answers is better, asked in both orders.

Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", section 3.4: judges like a place better
than the other, so each pair is shown twice with the answers swapped. A model wins where it wins both times; everything
else is a tie. Where the judge names the same place both times it changed its mind with the order, which is counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from hornbook.evaluate.answered import Answered
from hornbook.evaluate.grade import check_pattern, found_in
from hornbook.evaluate.heard import Ear, Heard, Spoken
from hornbook.evaluate.interval import wilson
from hornbook.evaluate.statistics import mcnemar
from hornbook.evaluate.task import Outcome
from hornbook.generate.question import Question, Reply

V = TypeVar("V")  # a verdict
Place = Literal["first", "second", "tie"]
Pair = tuple[Answered, ...]  # of our answer and theirs
BothOrders = tuple[dict[str, list[Heard[V]]], list[Heard[V]]]  # by the pair's id, and all of it
TURNED: dict[Place, Place] = {"first": "second", "second": "first", "tie": "tie"}


@dataclass(frozen=True, kw_only=True)
class Pairwise(Spoken):
    """Which is better, in words."""

    first: str
    """The verdict for the answer that is shown first."""
    second: str
    tie: str
    pattern: str
    """How a verdict is written: a regular expression with one of the three in its only group."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_pattern(self.pattern)
        if len({self.first, self.second, self.tie}) < 3:
            raise ValueError(f"first: {self.first!r}, {self.second!r}, {self.tie!r} must be three different verdicts")

    def read(self, reply: Reply) -> Place | None:
        """The place that a reply names."""
        names: dict[str, Place] = {self.first: "first", self.second: "second", self.tie: "tie"}
        said = found_in(self.pattern, reply.text)
        return None if said is None else names.get(said)


def both_orders(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """What a prompt may name, ours first, then for every pair again with theirs first."""
    return [_columns(*pair) for pair in pairs] + [_columns(*reversed(pair)) for pair in pairs]


def _columns(first: Answered, second: Answered) -> dict[str, Any]:
    turns = [
        {"question": a.question, "answer_a": a.answer, "answer_b": b.answer, "reference": a.reference or b.reference}
        for a, b in zip(first.turns, second.turns, strict=True)
    ]
    return {"id": first.place, "turns": turns} | (turns[0] if len(turns) == 1 else {})


def compare(ear: Ear, judge: Pairwise, pairs: Sequence[Pair]) -> tuple[list[Outcome], list[Heard[Place]]]:
    """What came of every pair (`win`: 1 ours, 0 theirs, a half a tie), and all that the judge said."""
    found: BothOrders[Place] = hear_both_orders(ear, pairs, judge.question, judge.read)
    by_id, heard = found
    return [_outcome(pair, by_id.get(pair[0].id, [])) for pair in pairs], heard


def hear_both_orders(
    ear: Ear, pairs: Sequence[Pair], question: Callable[[dict[str, Any]], Question], read: Callable[[Reply], V | None]
) -> BothOrders[V]:
    """What the judge said of each pair by its id, in both orders, and all of it; empty answers are not asked about."""
    asked = [pair for pair in pairs if not any(one.empty for one in pair)]
    heard = ear.hear([question(columns) for columns in both_orders(asked)], read)
    turns = zip(asked, heard[: len(asked)], heard[len(asked) :], strict=True)
    return {pair[0].id: each for pair, *each in turns}, heard


def _outcome(pair: Pair, heard: Sequence[Heard[Place]]) -> Outcome:
    one, other = pair
    detail = {"turns": _columns(one, other)["turns"]}
    if not heard:
        return Outcome(one.id, one.subject, {"win": of_empty(pair)}, detail | {"empty": True})
    detail |= {"words": [each.words for each in heard], "tries": [each.tries for each in heard]}
    if reason := next((each.left_out for each in heard if each.left_out), ""):
        return Outcome(one.id, one.subject, {}, detail | {"left_out": reason})
    straight, turned = (each.verdict for each in heard)
    assert straight is not None
    assert turned is not None
    flipped = straight != "tie" and straight == turned
    detail |= {"verdicts": [straight, TURNED[turned]], "flipped": flipped, "liked": straight if flipped else ""}
    return Outcome(one.id, one.subject, {"win": value(straight, turned)}, detail)


def value(straight: Place, turned: Place) -> float:
    """Of our answer, shown first and shown second.

    >>> value("first", "second"), value("first", "first"), value("first", "tie"), value("second", "first")
    (1.0, 0.5, 0.5, 0.0)
    """
    if straight != TURNED[turned]:
        return 0.5
    return {"first": 1.0, "second": 0.0, "tie": 0.5}[straight]


def of_empty(pair: Pair) -> float:
    """Who says nothing loses against who says something."""
    ours, theirs = (one.empty for one in pair)
    return 0.5 if ours and theirs else float(theirs)


def tally(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Wins, ties, losses, the chance of such a lead among equals, and how often the order decided."""
    wins = [one.metrics["win"] for one in outcomes if "win" in one.metrics]
    won, lost = wins.count(1.0), wins.count(0.0)
    counts = {"won": won, "tied": wins.count(0.5), "lost": lost, "chance": mcnemar(won, lost)}
    return counts | flips([one.detail for one in outcomes])


def flips(details: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`position_bias`: the share of pairs whose verdict turned with the order, and the place that was liked."""
    both = [detail for detail in details if "flipped" in detail]
    turned = [str(detail["liked"]) for detail in both if detail["flipped"]]
    if not both:
        return {}
    share = {"value": len(turned) / len(both), "interval": list(wilson(len(turned), len(both))), "of": len(both)}
    return {"position_bias": share | {"first": turned.count("first"), "second": turned.count("second")}}
