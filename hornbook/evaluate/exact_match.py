"""Answers that are right or wrong: something is looked for in the text, and must be what the row says.

Cobbe et al. 2021, "Training Verifiers to Solve Math Word Problems" (GSM8K), whose answers end in `#### 18`; looked for
and compared as the reference harness's task gsm8k does: `strict` wants the sign, `flexible` takes the last number there
is. Leaves out votes over several answers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hornbook.core.errors import UserError
from hornbook.data.rows import Row
from hornbook.evaluate import template
from hornbook.evaluate.task import Item, Outcome
from hornbook.evaluate.written import Written, only

NOTHING = "[invalid]"  # what is compared where nothing was found, as in the reference harness


@dataclass(frozen=True, kw_only=True)
class Extract:
    """What is looked for in an answer."""

    pattern: str = r"(?s)\s*(.*\S)"
    """A regular expression; of its groups the first that holds something is the answer."""
    which: Literal["first", "last"] = "first"
    """Of several places where it fits."""

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern {self.pattern!r} is no regular expression ({error}); mend it") from None

    def find(self, text: str) -> str | None:
        """The answer in a text.

        >>> Extract(pattern=r"#### (-?[0-9.,]+)").find("2 + 2 = 4. #### 4, so")
        '4,'
        """
        found = list(re.finditer(self.pattern, text))
        if not found:
            return None
        match = found[0 if self.which == "first" else -1]
        groups = match.groups() or (match[0],)
        return next((each for each in groups if each), NOTHING).strip()


@dataclass(frozen=True, kw_only=True)
class ExactMatch(Written):
    """A question whose answer can be compared."""

    answer: str
    """The right answer, in full as examples show it."""
    extract: Mapping[str, Extract] = field(default_factory=lambda: {"exact": Extract()}, hash=False)
    """Metrics by name, with what each looks for."""
    ignore: tuple[str, ...] = ()
    """Regular expressions: what they fit is taken out of both answers before they are compared."""
    space: str = " "
    """Between question and answer in examples."""

    def __post_init__(self) -> None:
        for each in self.ignore:
            Extract(pattern=each)
        if not self.extract:
            raise ValueError("extract: names nothing to look for; leave it out, or give it a name and a pattern")

    def example(self, row: Row) -> str:
        return self.question(row) + self.space + self.right(row)

    def right(self, row: Row) -> str:
        """The right answer; UserError where the row has none."""
        found = template.value(self.answer, row)
        if found is None or not str(found).strip():
            raise UserError(f"{row['id']}: has no answer ({self.answer!r} is empty); mend the row or delete it")
        return str(found)

    def judge(self, item: Item, answers: Sequence[Any]) -> Outcome:
        written, right = only(answers), self.right(item.row)
        found = {name: each.find(written) for name, each in self.extract.items()}
        wanted = self._plain(right)
        metrics = {
            name: float(self._plain(NOTHING if each is None else each) == wanted) for name, each in found.items()
        }
        return Outcome(item.id, item.subject, metrics, {**self.shown(item, written), "found": found, "answer": wanted})

    def _plain(self, text: str) -> str:
        for each in self.ignore:
            text = re.sub(each, "", text)
        return text.lower().strip()
