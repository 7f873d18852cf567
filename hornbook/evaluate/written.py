"""Tasks in which the model writes an answer: what it is asked, and when it stops.

The answer is what the model writes after the prompt, each token the likeliest, up to a stop text; `max_new_tokens`
bounds one that never stops. With a chat template the prompt, examples and all, is one message of the user's (the
reference harness's `--apply_chat_template` without `--fewshot_as_multiturn`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hornbook.core.errors import UserError
from hornbook.data.rows import Row
from hornbook.evaluate import template
from hornbook.evaluate.request import Until
from hornbook.evaluate.task import Asked, Item, Request


@dataclass(frozen=True, kw_only=True)
class Written(Asked):
    """A question and room for an answer."""

    stop: tuple[str, ...] = ()
    """Texts that end the answer; they are not part of it."""
    max_new_tokens: int = 256
    """Of an answer."""

    def requests(self, row: Row, before: str) -> tuple[Request, ...]:
        return (Until(before + self.question(row), self.stop, self.max_new_tokens),)

    def through_chat(self, item: Item) -> Item:
        return replace(item, requests=tuple(self._said(each) for each in item.requests))

    def _said(self, request: Request) -> Request:
        assert isinstance(request, Until)
        return request if request.talk else replace(request, talk=(("user", request.context),))

    def shown(self, item: Item, written: str) -> dict[str, Any]:
        """What the report shows of every such answer."""
        first = item.requests[0]
        assert isinstance(first, Until)
        return {"prompt": first.context, "written": written, "chat": bool(first.talk)}


def texts(made: str, row: Row, what: str) -> list[str]:
    """A list of texts that a template makes; UserError with the row's place where it does not."""
    found = template.value(made, row)
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found) or not found:
        raise UserError(f"{row['id']}: {what} is {found!r}; give a list of texts")
    return list(found)


def only(answers: Sequence[Any]) -> str:
    """The answer to a question that has one."""
    (answer,) = answers
    return str(answer)
