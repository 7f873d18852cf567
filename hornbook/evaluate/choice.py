"""Multiple choice: which of some continuations is the likeliest.

`acc` takes the likeliest, `acc_norm` the likeliest per character and `acc_bytes` per byte, since long answers are
unlikelier than short ones (GPT-3, section 2.4; the reference harness's three metrics). Leaves out normalising by the
answer without its question.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hornbook.core.errors import UserError
from hornbook.data.rows import Row
from hornbook.evaluate import template
from hornbook.evaluate.request import Continuation, Scored
from hornbook.evaluate.task import Asked, Item, Outcome, Request

Metric = Literal["acc", "acc_norm", "acc_bytes"]


@dataclass(frozen=True, kw_only=True)
class MultipleChoice(Asked):
    """One question, several answers to it."""

    choices: str
    """The answers, a list."""
    answer: str
    """The number of the right one, from 0; or its text."""
    metrics: tuple[Metric, ...] = ("acc", "acc_norm")
    space: str = " "
    """Between question and answer."""

    def requests(self, row: Row, before: str) -> tuple[Request, ...]:
        context = before + self.question(row)
        return tuple(Continuation(context, self.space + choice) for choice in self.options(row))

    def example(self, row: Row) -> str:
        return self.question(row) + self.space + self.options(row)[self.right(row)]

    def judge(self, item: Item, answers: Sequence[Scored]) -> Outcome:
        options, right = self.options(item.row), self.right(item.row)
        likely = [each.log_likelihood for each in answers]
        sizes = {"acc": [1] * len(options), "acc_norm": list(map(len, options)), "acc_bytes": _bytes(options)}
        best = {name: _best(likely, sizes[name]) for name in self.metrics}
        detail = {
            "prompt": _context(item),
            "choices": options,
            "log_likelihoods": [round(each, 4) for each in likely],
            "answer": right,
            "given": best[self.metrics[-1]],
            "share": _shares(likely)[best[self.metrics[0]]],
            "truncated": any(each.truncated for each in answers),
        }
        return Outcome(item.id, item.subject, {name: float(each == right) for name, each in best.items()}, detail)

    def options(self, row: Row) -> list[str]:
        """The answers to choose from."""
        found = template.value(self.choices, row)
        if not isinstance(found, list | tuple) or len(found) < 2 or not all(isinstance(each, str) for each in found):
            raise UserError(f"{row['id']}: choices are {found!r}; give a list of two texts or more")
        return list(found)

    def right(self, row: Row) -> int:
        """The number of the right answer."""
        found, options = template.value(self.answer, row), self.options(row)
        if isinstance(found, str) and found in options:
            return options.index(found)
        try:
            number = int(found)
        except (TypeError, ValueError):
            number = -1
        if not 0 <= number < len(options):
            raise UserError(f"{row['id']}: the answer {found!r} is none of its {len(options)} choices; mend the row")
        return number


@dataclass(frozen=True, kw_only=True)
class ContextChoice(MultipleChoice):
    """Several beginnings, one continuation: which of them makes it likeliest (Trinh and Le 2018, for WinoGrande).

    Here `prompt` is the continuation and `choices` are the beginnings.
    """

    metrics: tuple[Metric, ...] = ("acc",)

    def requests(self, row: Row, before: str) -> tuple[Request, ...]:
        goes_on = self.space + self.question(row)
        return tuple(Continuation(before + beginning, goes_on) for beginning in self.options(row))

    def example(self, row: Row) -> str:
        return self.options(row)[self.right(row)] + self.space + self.question(row)


@dataclass(frozen=True, kw_only=True)
class ManyTrue(MultipleChoice):
    """Several answers may be true: the share of the probability that they have (TruthfulQA's MC2, Lin et al. 2022)."""

    answer: str
    """For each choice 1 where it is true, else 0; a list."""
    metrics: tuple[Metric, ...] = ()

    def judge(self, item: Item, answers: Sequence[Scored]) -> Outcome:
        true, options = template.value(self.answer, item.row), self.options(item.row)
        if not isinstance(true, list | tuple) or len(true) != len(options):
            raise UserError(f"{item.id}: {len(options)} choices and {true!r} for which are true; give one for each")
        likely = [each.log_likelihood for each in answers]
        shares = _shares(likely)
        mass = sum(share for share, is_true in zip(shares, true, strict=True) if int(is_true))
        shown = {"prompt": _context(item), "choices": options, "answer": list(true)}
        scores = {
            "log_likelihoods": [round(each, 4) for each in likely],
            "truncated": any(a.truncated for a in answers),
        }
        return Outcome(item.id, item.subject, {"mc2": mass}, {**shown, **scores})

    def example(self, row: Row) -> str:
        true = [int(each) for each in template.value(self.answer, row)]
        return self.question(row) + self.space + self.options(row)[true.index(1)]


def _best(likely: Sequence[float], sizes: Sequence[int]) -> int:
    """The first of the likeliest per size."""
    each = [value / max(size, 1) for value, size in zip(likely, sizes, strict=True)]
    return each.index(max(each))


def _shares(likely: Sequence[float]) -> list[float]:
    """Probabilities among the choices."""
    most = max(likely)
    weights = [math.exp(each - most) for each in likely]
    return [weight / sum(weights) for weight in weights]


def _bytes(texts: Sequence[str]) -> list[int]:
    return [len(text.encode()) for text in texts]


def _context(item: Item) -> Any:
    first = item.requests[0]
    return first.context if isinstance(first, Continuation) else ""
