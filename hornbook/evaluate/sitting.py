"""People at work: which question a rater sees next, what is written down of the answer, undo and skip.

What is shown holds no model's name and nothing to tell one by: a question is a number, answers are left and right.
Whoever comes back goes on where they stopped; what was skipped is asked again at the end, if the rater likes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Any

from hornbook.core.errors import UserError
from hornbook.evaluate.judgements import SKIP, Key, Rating, Ratings
from hornbook.evaluate.study import POINTS, Question, Study

SHOWN = {"left": "a", "right": "b"}  # where a stands on the left; on the right it is the other way round
OTHER = {"a": "b", "b": "a"}
LONGEST_NAME, LONGEST_NOTE = 40, 2000  # letters


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What comes back from the page."""

    question: int
    said: str | Mapping[str, int]
    """left, right, tie, bad or skip; on scales a number for each, or skip."""
    seconds: float = 0.0
    note: str = ""
    again: bool = False
    """The rater goes through what was skipped."""


class Sitting:
    """A study, its ratings, and the people who give them; any thread may ask."""

    def __init__(self, study: Study, ratings: Ratings) -> None:
        self.study, self.ratings, self.lock = study, ratings, RLock()
        self.questions = study.questions()
        self.sides = cache(study.sides)
        self._check()

    def _check(self) -> None:
        for rating in self.ratings.standing.values():
            if rating.models not in self.study.groups() or rating.id not in self.study.prompts:
                raise UserError(
                    f"{self.ratings.path}: {rating.rater} judged {' and '.join(rating.models)} on {rating.id}, which "
                    f"is not asked here ({', '.join(self.study.answers)}); name another --out"
                )

    def state(self, rater: str, *, again: bool = False) -> dict[str, Any]:
        """How far a rater is, and the next question, None at the end."""
        rater = name_of(rater)
        with self.lock:
            said = {each.number: self.ratings.standing.get(_key(rater, each)) for each in self.questions}
            skipped = [number for number, rating in said.items() if rating is not None and rating.said == SKIP]
            fresh = [number for number, rating in said.items() if rating is None]
            number = next(iter(fresh or (skipped if again else [])), None)
            done = len(said) - len(skipped) - len(fresh)
            shown = None if number is None else self._shown(rater, self.questions[number])
            return {"done": done, "of": len(said), "skipped": len(skipped), "question": shown}

    def _shown(self, rater: str, question: Question) -> dict[str, Any]:
        models = question.models if self._side(rater, question) != "b" else question.models[::-1]
        answers = [self.study.answers[model][question.id] for model in models]
        return {"number": question.number, "prompt": self.study.prompts[question.id], "answers": answers}

    def _side(self, rater: str, question: Question) -> str:
        return self.sides(rater)[question.number] if len(question.models) == 2 else ""

    def rate(self, rater: str, answer: Answer) -> dict[str, Any]:
        """Write down what a rater says; the state after it."""
        rater = name_of(rater)
        if not 0 <= answer.question < len(self.questions):
            raise UserError(f"question: {answer.question} is none of {len(self.questions)}; load the page again")
        question = self.questions[answer.question]
        with self.lock:
            side = self._side(rater, question)
            rating = Rating(
                id=question.id,
                rater=rater,
                models=question.models,
                said=self._said(answer.said, side),
                side=side,
                seconds=round(answer.seconds, 1) if math.isfinite(answer.seconds) else 0.0,
                note=answer.note.strip()[:LONGEST_NOTE],
            )
            self.ratings.add(rating)
            return self.state(rater, again=answer.again)

    def _said(self, said: str | Mapping[str, int], side: str) -> str | Mapping[str, int]:
        if said == SKIP:
            return SKIP
        scales = [scale.name for scale in self.study.scales]
        if isinstance(said, Mapping) and scales and said.keys() == set(scales):
            if all(1 <= number <= POINTS for number in said.values()):
                return {name: said[name] for name in scales}
        elif isinstance(said, str) and not scales and said in ("tie", "bad", *SHOWN):
            as_shown = SHOWN.get(said, said)
            return OTHER.get(as_shown, as_shown) if side == "b" else as_shown
        wanted = f"1 to {POINTS} on {', '.join(scales)}" if scales else "left, right, tie, bad or skip"
        raise UserError(f"said: {said!r} is no judgement; give {wanted}")

    def undo(self, rater: str) -> dict[str, Any]:
        """Take the rater's newest answer back, and show its question again."""
        with self.lock:
            back = self.ratings.take_back(name_of(rater))
            return {**self.state(rater), "note": back.note if back else "", "undone": back is not None}

    def finished(self, rater: str) -> bool:
        """Whether a rater has judged or skipped everything and so may see who is who."""
        return self.state(rater)["question"] is None

    def raters(self) -> list[str]:
        """Those who have said something."""
        return sorted({rating.rater for rating in self.ratings.standing.values()})


def name_of(rater: str) -> str:
    """A rater's name as it is kept.

    >>> name_of("  Ann   Lee ")
    'Ann Lee'
    """
    name = " ".join(rater.split())[:LONGEST_NAME]
    if not name:
        raise UserError("rater: an empty name; give one, such as your initials")
    return name


def _key(rater: str, question: Question) -> Key:
    return rater, question.id, question.models
