"""A judge gives each answer a number: 0 to 100, 1 to 10, or 1 to 5 by a rubric.

Raschka 2024, chapter 7 (0 to 100, the integer alone); Zheng et al. 2023, single answer grading of MT-Bench (1 to 10, in
double brackets); Kim et al. 2024, Prometheus (1 to 5 by a rubric that says what each number means, with a right answer
beside it, feedback first). An empty answer has the lowest number without asking.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.evaluate.answered import Answered
from hornbook.evaluate.heard import Ear, Heard, Spoken
from hornbook.evaluate.task import Outcome
from hornbook.generate.question import Reply


@dataclass(frozen=True, kw_only=True)
class Score(Spoken):
    """A number between two ends."""

    low: int
    high: int
    pattern: str
    """How a verdict is written: a regular expression with the number in its only group."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise ValueError(f"low: {self.low} is not below high, {self.high}; give the lowest and the highest score")
        check_pattern(self.pattern)

    @property
    def scale(self) -> tuple[float, float]:
        """The lowest and the highest score."""
        return self.low, self.high

    def columns(self, one: Answered) -> dict[str, Any]:
        """What the prompt may name."""
        return one.columns() | {"low": self.low, "high": self.high}


@dataclass(frozen=True, kw_only=True)
class Rubric(Spoken):
    """A number whose meaning is written down."""

    criterion: str
    """What is looked at."""
    levels: Sequence[str] = ()
    """What 1, 2, 3 ... stand for."""
    pattern: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.levels) < 2:
            raise ValueError(
                f"levels: {len(self.levels)} given, so there is no range of scores; say what 1, 2, 3 ... stand for"
            )
        check_pattern(self.pattern)

    @property
    def scale(self) -> tuple[float, float]:
        """The lowest and the highest level."""
        return 1, len(self.levels)

    def columns(self, one: Answered) -> dict[str, Any]:
        """What the prompt may name."""
        return one.columns() | {"criterion": self.criterion, "levels": list(self.levels)}


def check_pattern(pattern: str) -> None:
    """ValueError where a pattern cannot be searched for, or has no group or several."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"pattern: {pattern!r} is no regular expression ({error}); mend it") from None
    if groups != 1:
        raise ValueError(f"pattern: {pattern!r} has {groups} groups; put parentheses around the verdict alone")


def found_in(pattern: str, text: str) -> str | None:
    """What stands in a pattern's group; None where that is nothing, or several things that differ.

    >>> found_in(r"([0-9]+)", "7"), found_in(r"([0-9]+)", "7 or 8"), found_in(r"([0-9]+)", "I cannot say")
    ('7', None, None)
    """
    verdicts = set(re.findall(pattern, text))
    return verdicts.pop() if len(verdicts) == 1 else None


def number(judge: Score | Rubric, text: str) -> float | None:
    """The score in a reply, if there is one on the scale."""
    said = found_in(judge.pattern, text)
    try:
        value = None if said is None else float(said)
    except ValueError:
        return None
    low, high = judge.scale
    return value if value is not None and low <= value <= high else None


def grade(ear: Ear, judge: Score | Rubric, answers: Sequence[Answered]) -> tuple[list[Outcome], list[Heard[float]]]:
    """What came of every answer, and what the judge said of those that are not empty."""
    asked = [one for one in answers if not one.empty]
    heard = ear.hear([judge.question(judge.columns(one)) for one in asked], lambda reply: _number(judge, reply))
    by_id = {one.id: each for one, each in zip(asked, heard, strict=True)}
    return [outcome(one, by_id.get(one.id), judge.scale[0]) for one in answers], heard


def _number(judge: Score | Rubric, reply: Reply) -> float | None:
    return number(judge, reply.text)


def outcome(one: Answered, heard: Heard[float] | None, low: float) -> Outcome:
    """The score of an answer, none where the judge gave none; `low` where nothing was answered."""
    detail: dict[str, Any] = {"turns": one.columns()["turns"]}
    if heard is None:
        return Outcome(one.id, one.subject, {"score": low}, detail | {"empty": True})
    metrics = {} if heard.verdict is None else {"score": heard.verdict}
    detail |= {"words": heard.words, "tries": heard.tries} | ({"left_out": heard.left_out} if heard.left_out else {})
    return Outcome(one.id, one.subject, metrics, detail)
