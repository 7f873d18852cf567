"""A question to a model and what it replies, whoever answers: a model of this machine or one behind an endpoint.

A question draws by a seed of its own, made of itself: what is replied does not depend on what else is asked, nor on
where a run was interrupted.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Message = Mapping[str, str]  # {"role", "content"}


@dataclass(frozen=True, kw_only=True)
class Question:
    """A conversation whose next message is wanted."""

    talk: tuple[Message, ...]
    max_new_tokens: int
    temperature: float = 0.0
    attempt: int = 0
    """The same question asked again draws otherwise."""
    weights: bool = False
    """Whether the likely first tokens are wanted too."""

    @property
    def seed(self) -> int:
        """31 bits, which every server takes."""
        said = json.dumps([self.attempt, [dict(message) for message in self.talk]], ensure_ascii=False, sort_keys=True)
        return int.from_bytes(hashlib.sha256(said.encode()).digest()[:4], "big") >> 1


@dataclass(frozen=True)
class Reply:
    """What was said."""

    text: str
    first: Mapping[str, float] | None = None
    """The likely first tokens and their log-probabilities, where they were wanted and are told."""


Told = Callable[[int, Reply | None], None]
"""Hears the number of a question and its reply, as soon as it and those before it are there."""


class Respondent(Protocol):
    """Who is asked."""

    @property
    def name(self) -> str:
        """Of the model."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """What went wrong, and how often; of an endpoint the `requests` too."""
        ...

    def reply_to(self, questions: Sequence[Question], told: Told) -> list[Reply | None]:
        """A reply to each question; None where there is none. UserError where there will never be one."""
        ...
