"""What every benchmark is: rows become questions, answers become numbers, numbers become a mean with its error.

The format of prompts is the reference harness's: a description, examples one empty line apart, the question. A task is
a file of `recipes/evaluate/`; what kind of task it is, is a class of its own (choice.py, last_word.py, ...).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.data.rows import Row
from hornbook.evaluate import template
from hornbook.evaluate.benchmark import Benchmark
from hornbook.evaluate.request import Continuation, Rolling, Until

BETWEEN = "\n\n"  # between examples, and between the last one and the question

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
                yield Item(str(row["id"]), subject, self.requests(row, before), row)

    def requests(self, row: Row, before: str) -> tuple[Request, ...]:
        """What a model is asked about a row; `before` is description and examples."""
        raise NotImplementedError

    def example(self, row: Row) -> str:
        """A row with its answer, as it is shown before a question."""
        raise NotImplementedError

    def judge(self, item: Item, answers: Sequence[Any]) -> Outcome:
        """What the answers to an item's requests are worth."""
        raise NotImplementedError

    def question(self, row: Row) -> str:
        """The text of a question."""
        return template.text(self.prompt, row)

    def _before(self, folder: Path, subject: str, count: int) -> str:
        """Description and examples; the first rows of the split for examples, as MMLU's authors show them."""
        described = template.text(self.description, {"subject": subject.replace("_", " "), "id": "description"})
        if not count:
            return described
        if self.data.shots is None:
            raise UserError(f"shots: the task has no split to take {count} examples from; leave --shots out")
        shown: list[str] = []
        for row in self.data.rows(folder, self.data.shots, subject):
            if len(shown) == count:
                break
            shown.append(self.example(row))
        if len(shown) < count:
            raise UserError(f"shots: {count} are wanted and {self.data.shots} has {len(shown)}; ask for fewer")
        return described + "".join(each + BETWEEN for each in shown)
