"""Questions to which no answer is the right one: answers are written down for judges and people to read.

AlpacaEval (Li et al. 2023) and MT-Bench (Zheng et al. 2023, two turns: the second is asked after the model's own first
answer). A model with a chat template is asked through it; one without reads question and answer as a text. There is no
score; the number of words is given and how much an answer repeats itself (rep4 of repetition.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.corpus.words import words
from hornbook.data.rows import Row
from hornbook.evaluate import template
from hornbook.evaluate.diversity import ngrams
from hornbook.evaluate.repetition import repeated
from hornbook.evaluate.request import Until
from hornbook.evaluate.task import Item, Outcome, Request
from hornbook.evaluate.written import Written, texts


@dataclass(frozen=True, kw_only=True)
class OpenEnded(Written):
    """One question or several, each asked after the answer to the last."""

    turns: str
    """The questions, a list."""
    category: str = "category"
    """The column that divides the answers, where a row has it."""
    reference: str = "{{[]}}"
    """Right answers, a list, where there are any: judges read them too."""
    max_new_tokens: int = 1024

    def name(self, row: Row) -> str:
        return str(row.get("question_id", row["id"]))

    def requests(self, row: Row, before: str) -> tuple[Request, ...]:
        first, *_ = texts(self.turns, row, "turns")
        return (self._ask([before + first], []),)

    def follow(self, item: Item, answers: Sequence[Any]) -> tuple[Request, ...]:
        """The next turn."""
        asked = texts(self.turns, item.row, "turns")
        return (self._ask(asked, list(answers)),) if len(answers) < len(asked) else ()

    def _ask(self, asked: list[str], answers: list[str]) -> Until:
        talk = [("user", asked[0])]
        for answer, question in zip(answers, asked[1:], strict=False):
            talk += [("assistant", answer), ("user", question)]
        marks = {"user": "Question: ", "assistant": "Answer: "}
        context = "\n\n".join(marks[role] + said.strip() for role, said in talk) + "\n\nAnswer:"
        return Until(context, self.stop, self.max_new_tokens, talk=tuple(talk))

    def judge(self, item: Item, answers: Sequence[Any]) -> Outcome:
        cut = [words(str(each)) for each in answers]
        again = max(repeated(ngrams(each, 4)) for each in cut)
        detail = self.shown(item, str(answers[-1])) | {
            "turns": texts(self.turns, item.row, "turns"),
            "answers": [str(each) for each in answers],
            "category": str(item.row.get(self.category, "")),
        }
        if right := template.value(self.reference, item.row):
            detail["references"] = [str(each) for each in right]
        return Outcome(item.id, item.subject, {"rep4": again, "words": float(sum(map(len, cut)))}, detail)
