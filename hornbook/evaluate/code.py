"""Functions that are written and run: HumanEval.

Chen et al. 2021, "Evaluating Large Language Models Trained on Code": the prompt is a signature with its docstring, the
answer goes on up to what is no longer the function, and is right when the tests pass (sandbox.py runs them). pass@k is
the chance that one of k answers is right, estimated without bias from n answers (equation 1). Leaves out HumanEval+.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hornbook.data.rows import Row
from hornbook.evaluate import template
from hornbook.evaluate.request import Until
from hornbook.evaluate.sandbox import Limits, Program, Verdict, run_all
from hornbook.evaluate.task import Item, Outcome, Request
from hornbook.evaluate.written import Written

FENCE = re.compile(r"```[a-zA-Z0-9]*\n(.*?)(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Code(Written):
    """A function to be finished, and its tests."""

    tests: str
    """Code that calls it and fails where it is wrong."""
    samples: int = 1
    """Answers to each question; more than one are drawn, so they want a temperature."""
    temperature: float = 0.0
    pass_at: tuple[int, ...] = (1,)
    """The k of pass@k."""
    seconds: float = 10.0
    """That an answer may run."""

    def __post_init__(self) -> None:
        if self.samples > 1 and not self.temperature:
            raise ValueError(f"samples: {self.samples} of the likeliest answer are all the same; give a temperature")
        if not self.pass_at or not all(1 <= k <= self.samples for k in self.pass_at):
            raise ValueError(f"pass_at: {self.pass_at} of {self.samples} samples; give numbers from 1 to `samples`")

    def requests(self, row: Row, before: str) -> tuple[Request, ...]:
        context = before + self.question(row)
        return tuple(
            Until(context, self.stop, self.max_new_tokens, self.temperature, seed) for seed in range(self.samples)
        )

    def through_chat(self, item: Item) -> Item:
        """The end of the turn ends the answer: it may begin with a line of its own, and with `def`."""
        talks = [each for each in super().through_chat(item).requests if isinstance(each, Until)]
        return replace(item, requests=tuple(replace(each, stop=()) for each in talks))

    def judge_all(self, items: Sequence[Item], answers: Sequence[Sequence[Any]]) -> list[Outcome]:
        """All programs run before any is counted, two at a time."""
        programs = [self.program(item, each) for item, some in zip(items, answers, strict=True) for each in some]
        verdicts = iter(run_all(programs, Limits(seconds=self.seconds)))
        return [
            self._outcome(item, some, [next(verdicts) for _ in some]) for item, some in zip(items, answers, strict=True)
        ]

    def judge(self, item: Item, answers: Sequence[Any]) -> Outcome:
        return self.judge_all([item], [answers])[0]

    def program(self, item: Item, written: str) -> Program:
        """What is run: the prompt goes on with the answer, or with the code that a chat's answer holds."""
        first, question = item.requests[0], self.question(item.row)
        assert isinstance(first, Until)
        block = FENCE.search(written) if first.talk else None
        body = block[1] if block else written
        whole = re.search(r"^def ", body, re.MULTILINE) and first.talk
        head = question.partition("\ndef ")[0] + "\n" if whole else question  # imports that the prompt begins with
        return Program(head + body, template.text(self.tests, item.row))

    def _outcome(self, item: Item, answers: Sequence[Any], verdicts: Sequence[Verdict]) -> Outcome:
        right = sum(each.passed for each in verdicts)
        metrics = {f"pass@{k}": pass_at(k, right, len(verdicts)) for k in self.pass_at}
        worst = next((n for n, each in enumerate(verdicts) if not each.passed), 0)
        came = {"came": [str(each) for each in verdicts], "guards": verdicts[0].guards}
        came["tests"] = template.text(self.tests, item.row)
        return Outcome(
            item.id,
            item.subject,
            metrics,
            {**self.shown(item, str(answers[worst])), "why": str(verdicts[worst]), **came},
        )


def pass_at(k: int, right: int, of: int) -> float:
    """The chance that k of the answers, drawn without putting back, hold a right one (equation 1).

    >>> round(pass_at(1, 3, 10), 3), pass_at(10, 1, 10), round(pass_at(2, 1, 4), 3)
    (0.3, 1.0, 0.5)
    """
    return 1 - math.comb(of - right, k) / math.comb(of, k)
