"""Asking a judge: what it says is kept, what cannot be read is asked once more, what still cannot is left out and said.

A judgement is never made up: a reply without a verdict, a question that was not answered and one that is too long to
be read each have their own count, and none of them a score.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hornbook.core.errors import UserError
from hornbook.evaluate import template
from hornbook.evaluate.cache import Cache, key
from hornbook.generate.question import Question, Reply, Respondent

T = TypeVar("T")
AGAIN = 0.7  # temperature of the second try: at 0 the same words would come again
GROUP = 32  # questions after which an endpoint that answers none of them is given up

UNREAD, EMPTY, UNANSWERED = "no verdict in the reply", "an empty reply", "no reply"


@dataclass(frozen=True)
class Heard(Generic[T]):
    """What became of one question."""

    verdict: T | None
    words: str
    """The judge's, of the last try."""
    tries: int
    left_out: str = ""
    """Why there is no verdict."""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What is common to judges that are asked in words."""

    prompt: str
    """What the judge reads, with columns in braces (evaluate/answered.py says which)."""
    max_new_tokens: int = 512
    """That the judge may write."""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ValueError(f"max_new_tokens: {self.max_new_tokens} lets the judge say nothing; give 1 or more")

    def question(self, columns: dict[str, Any], *, weights: bool = False) -> Question:
        """The first try."""
        said = template.text(self.prompt, columns).strip()
        talk = ({"role": "user", "content": said},)
        return Question(talk=talk, max_new_tokens=self.max_new_tokens, weights=weights)


class Ear:
    """Puts questions to one judge and remembers what it said."""

    def __init__(self, judge: Respondent, cache: Cache, told: Callable[[int, int], None] = lambda *_: None) -> None:
        """`told` hears how many of how many questions are answered."""
        self.judge, self.cache, self.told = judge, cache, told

    def hear(self, questions: Sequence[Question], read: Callable[[Reply], T | None]) -> list[Heard[T]]:
        """A verdict of each, as `read` finds it in a reply."""
        found = [self._heard(reply, read, 1) for reply in self._replies(questions)]
        again = [number for number, heard in enumerate(found) if heard.left_out in (UNREAD, EMPTY)]
        second = [dataclasses.replace(questions[n], temperature=AGAIN, attempt=1) for n in again]
        for number, reply in zip(again, self._replies(second), strict=True):
            found[number] = self._heard(reply, read, 2) if reply is not None else found[number]
        return found

    def _heard(self, reply: Reply | None, read: Callable[[Reply], T | None], tries: int) -> Heard[T]:
        if reply is None:
            return Heard(None, "", tries, UNANSWERED)
        verdict = read(reply)
        fault = UNREAD if reply.text.strip() else EMPTY
        return Heard(verdict, reply.text, tries, fault if verdict is None else "")

    def _replies(self, questions: Sequence[Question]) -> list[Reply | None]:
        """From memory, or asked now and written down one by one."""
        new = list({key(each): each for each in questions if self.cache.find(each) is None}.values())
        done = len(questions) - len(new)
        for first in range(0, len(new), GROUP):
            group = new[first : first + GROUP]

            def keep(number: int, reply: Reply | None, group: Sequence[Question] = group, before: int = first) -> None:
                if reply is not None:
                    self.cache.keep([(group[number], dataclasses.asdict(reply))])
                self.told(done + before + number + 1, len(questions))

            self.judge.reply_to(group, keep)
        known = [self.cache.find(each) for each in questions]
        return [None if plain is None else Reply(**plain) for plain in known]


def left_out(heard: Sequence[Heard[Any]]) -> dict[str, int]:
    """How many have no verdict, by reason, and how many needed a second try; nothing where there were none."""
    reasons = Counter(each.left_out for each in heard if each.left_out)
    again = sum(each.tries > 1 for each in heard)
    return dict(reasons) | ({"asked twice": again} if again else {})


def require_some(heard: Sequence[Heard[Any]], judge: str) -> None:
    """UserError where a judge said nothing that can be read."""
    if heard and all(each.left_out == EMPTY for each in heard):
        raise UserError(
            f"{judge}: every reply is empty ({len(heard)}), the judge ends its answer at once; see that it is made for "
            "conversations and has its own chat template, or name another with --by"
        )
    if heard and all(each.left_out for each in heard):
        words = next((each.words for each in heard if each.words.strip()), "")
        said = f"it said {_short(words)!r}" if words else "it said nothing"
        raise UserError(
            f"{judge}: none of {len(heard)} replies has a verdict ({said}); take a judge that keeps to the form, or "
            "another --judge"
        )


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
