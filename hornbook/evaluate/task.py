"""What every benchmark is: rows become questions, answers become numbers, numbers become a mean with its error.

The format of prompts is the reference harness's: a description, examples one empty line apart, the question. A task is
a file of `recipes/evaluate/`; what kind of task it is, is a class of its own (choice.py, last_word.py, ...).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Literal

from hornbook.core.errors import UserError
from hornbook.data.rows import Row
from hornbook.evaluate import template
from hornbook.evaluate.benchmark import Benchmark
from hornbook.evaluate.request import Continuation, Rolling, Until

BETWEEN = "\n\n"  # between examples, and between the last one and the question
DRAWN_WITH = 1234  # the reference harness's seed for examples

Request = Continuation | Rolling | Until


@dataclass(frozen=True)
class Item:
    """One question of a benchmark: what the model is asked, and what is needed to judge its answers."""

    id: str
    subject: str
    requests: tuple[Request, ...]
    row: Row


@dataclass(frozen=True)
class Outcome:
    """What came of one question."""

    id: str
    subject: str
    metrics: Mapping[str, float]
    """1 or 0 for right or wrong, or any number whose mean is the score."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What a person wants to see of it: the prompt as the model saw it, choices, scores, the right answer."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How questions are put: common to all kinds of tasks."""

    data: Benchmark
    prompt: str
    """The question, with columns in braces."""
    description: str = ""
    """What stands before everything, once."""
    count: int = 0
    """Examples that are shown before the question."""
    examples: Literal["first", "drawn"] = "first"
    """The first rows of their split; or others for every question, drawn as the reference harness draws them."""
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Subjects that are averaged together, by the name of the category."""

    def items(self, folder: Path, *, limit: int | None = None, shots: int | None = None) -> Iterator[Item]:
        """The questions; of each subject the first `limit`."""
        count = self.count if shots is None else shots
        for subject in self.data.subjects(folder):
            before = self._before(folder, subject, count)
            for number, row in enumerate(self.data.rows(folder, self.data.split, subject)):
                if limit is not None and number >= limit:
                    break
                yield Item(self.name(row), subject, self.requests(row, before(row)), row)

    def name(self, row: Row) -> str:
        """What a question is known by."""
        return str(row["id"])

    def requests(self, row: Row, before: str) -> tuple[Request, ...]:
        """What a model is asked about a row; `before` is description and examples."""
        raise NotImplementedError

    def example(self, row: Row) -> str:
        """A row with its answer, as it is shown before a question."""
        raise NotImplementedError

    def judge(self, item: Item, answers: Sequence[Any]) -> Outcome:
        """What the answers to an item's requests are worth."""
        raise NotImplementedError

    def through_chat(self, item: Item) -> Item:
        """The same question through a chat template; UserError where nothing is written."""
        raise UserError(
            f"--chat: {item.id} asks how likely an answer is, and is not asked through a template; "
            "name tasks whose answers are written"
        )

    def follow(self, item: Item, answers: Sequence[Any]) -> tuple[Request, ...]:  # noqa: ARG002 -- for those that ask on
        """What is asked after some answers; nothing, where all is said."""
        return ()

    def judge_all(self, items: Sequence[Item], answers: Sequence[Sequence[Any]]) -> list[Outcome]:
        """What the answers to all items are worth."""
        return [self.judge(item, some) for item, some in zip(items, answers, strict=True)]

    def question(self, row: Row) -> str:
        """The text of a question."""
        return template.text(self.prompt, row)

    def _before(self, folder: Path, subject: str, count: int) -> Callable[[Row], str]:
        """Description and examples of a question; unless drawn, the first rows, as MMLU's authors show them."""
        described = template.text(self.description, {"subject": subject.replace("_", " "), "id": "description"})
        if not count:
            return lambda _: described
        if self.data.shots is None:
            raise UserError(f"shots: the task has no split to take {count} examples from; leave --shots out")
        rows = self.data.rows(folder, self.data.shots, subject)
        pool = list(rows if self.examples == "drawn" else islice(rows, count))
        if len(pool) < count + (self._own() and self.examples == "drawn"):
            raise UserError(f"shots: {count} are wanted and {self.data.shots} has {len(pool)}; ask for fewer")
        if self.examples == "drawn":
            draw, own = Random(DRAWN_WITH), self._own()
            return lambda row: described + self._shown(_drawn(draw, pool, count, row if own else None))
        shown = described + self._shown(pool)
        return lambda _: shown

    def _own(self) -> bool:
        """Whether a question may be among the examples."""
        return self.data.shots == self.data.split

    def _shown(self, rows: Iterable[Row]) -> str:
        return "".join(self.example(row) + BETWEEN for row in rows)


def _drawn(draw: Random, pool: Sequence[Row], count: int, row: Row | None) -> list[Row]:
    """Rows at random, `row` not among them."""
    if row is None:
        return draw.sample(pool, count)
    return [each for each in draw.sample(pool, count + 1) if each["id"] != row["id"]][:count]
