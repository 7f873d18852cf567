"""The last word of a passage, which only the whole passage tells (LAMBADA, Paperno et al. 2016).

`acc` says whether every token of the word is the likeliest one, `perplexity` is exp of the mean surprise over passages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hornbook.data.rows import Row
from hornbook.evaluate import template
from hornbook.evaluate.request import Continuation, Scored
from hornbook.evaluate.task import Asked, Item, Outcome, Request


@dataclass(frozen=True, kw_only=True)
class LastWord(Asked):
    """A passage without its last word, and that word."""

    word: str
    """The word, with the space before it."""

    def requests(self, row: Row, before: str) -> tuple[Request, ...]:
        return (Continuation(before + self.question(row), template.text(self.word, row)),)

    def example(self, row: Row) -> str:
        return self.question(row) + template.text(self.word, row)

    def judge(self, item: Item, answers: Sequence[Scored]) -> Outcome:
        (answer,) = answers
        request = item.requests[0]
        assert isinstance(request, Continuation)
        detail = {"prompt": request.context, "answer": request.continuation, "truncated": answer.truncated}
        metrics = {"acc": float(answer.greedy), "surprise": -answer.log_likelihood}
        return Outcome(item.id, item.subject, metrics, detail)
