"""A judge says with one letter which of two answers is better, and how sure it is: AlpacaEval's win rate.

Li et al. 2023 and Dubois et al. 2024: the preference is the probability of one letter among the two, where the judge's
endpoint tells its log-probabilities, else the letter it wrote; the win rate is the mean preference, given with and
without control for length (length_control.py). AlpacaEval draws one order of the answers; here both are asked and the
mean is taken, so that a liking for a place cancels out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hornbook.evaluate.heard import Ear, Heard, Spoken
from hornbook.evaluate.length_control import controlled
from hornbook.evaluate.pairwise import Pair, both_orders, flips, hear_both_orders, of_empty
from hornbook.evaluate.task import Outcome
from hornbook.generate.question import Reply

LEAST = 0.1  # of probability on the two letters together: of a judge that would rather say something else, it is noise


@dataclass(frozen=True, kw_only=True)
class Preference(Spoken):
    """Which is better, by the first token."""

    first: str
    """What stands for the answer that is shown first."""
    second: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.first or not self.second or self.first == self.second:
            raise ValueError(f"first: {self.first!r} and {self.second!r} must be two different words")

    def read(self, reply: Reply) -> float | None:
        """The probability that the first answer is the better one."""
        if reply.first is not None and (share := share_of(reply.first, self.first, self.second)) is not None:
            return share
        return {self.first: 1.0, self.second: 0.0}.get(_bare(reply.text))


def share_of(tokens: Mapping[str, float], one: str, other: str) -> float | None:
    """The probability of a letter among two, from the log-probabilities of tokens; None where neither is likely.

    >>> round(share_of({"A": math.log(0.6), " A": math.log(0.2), "B": math.log(0.1), "a": math.log(0.1)}, "A", "B"), 4)
    0.8889
    """
    sums = [sum(math.exp(log) for token, log in tokens.items() if _bare(token) == name) for name in (one, other)]
    return sums[0] / sum(sums) if sum(sums) >= LEAST else None


def _bare(text: str) -> str:
    return text.strip(" \t\n.,:;*\"'`()[]")


def prefer(ear: Ear, judge: Preference, pairs: Sequence[Pair]) -> tuple[list[Outcome], list[Heard[float]]]:
    """What came of every pair (`win`: the probability that ours is the better one), and all that the judge said."""
    by_id, heard = hear_both_orders(ear, pairs, partial(judge.question, weights=True), judge.read)
    return [_outcome(pair, by_id.get(pair[0].id, [])) for pair in pairs], heard


def _outcome(pair: Pair, heard: Sequence[Heard[float]]) -> Outcome:
    one, other = pair
    detail: dict[str, Any] = {"turns": both_orders([pair])[0]["turns"], "longer": _length(one) - _length(other)}
    if "difficulty" in one.row:
        detail["difficulty"] = float(one.row["difficulty"])
    if not heard:
        return Outcome(one.id, one.subject, {"win": of_empty(pair)}, detail | {"empty": True})
    detail |= {"words": [each.words for each in heard], "tries": [each.tries for each in heard]}
    if reason := next((each.left_out for each in heard if each.left_out), ""):
        return Outcome(one.id, one.subject, {}, detail | {"left_out": reason})
    straight, turned = (each.verdict for each in heard)
    assert straight is not None
    assert turned is not None
    flipped = (straight - 0.5) * (turned - 0.5) > 0
    detail |= {"verdicts": [straight, 1 - turned], "flipped": flipped}
    detail["liked"] = ("first" if straight > 0.5 else "second") if flipped else ""
    return Outcome(one.id, one.subject, {"win": (straight + 1 - turned) / 2}, detail)


def _length(one: Any) -> int:
    return sum(len(turn.answer) for turn in one.turns)


def rates(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The win rate with control for length, and how often the order decided."""
    some = [one for one in outcomes if "win" in one.metrics]
    if not some:
        return {}
    difficulty = [float(one.detail["difficulty"]) for one in some if "difficulty" in one.detail]
    hard = difficulty if len(difficulty) == len(some) else None
    found = controlled([one.metrics["win"] for one in some], [one.detail["longer"] for one in some], hard)
    return {"length_controlled": found.plain(), **flips([one.detail for one in outcomes])}
