"""What is asked of an engine, and what it gives back: a request goes in, a ticket comes out, pieces arrive at it.

A `Piece` is what one step added. Whoever holds the ticket takes them as they come, in a loop or by a callback; pieces
that came before somebody listened are kept for them.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from hornbook.core.errors import UserError
from hornbook.generate.constraint import Constraint
from hornbook.generate.sample import Sampling

Reason = Literal["end", "stop", "length", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to write on for, and how."""

    prompt: list[int]  # of an encoder-decoder what its answer begins with
    sampling: Sampling = field(default_factory=Sampling)
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()  # texts that end the writing; they are not part of it
    seed: int | None = None  # None: different every time
    source: list[int] = field(default_factory=list)  # what the encoder reads; decoders have none
    top_log_probabilities: int | None = None  # how many tokens are told beside the chosen one; None: not even that
    prompt_too: bool = False  # whether the same is told of the prompt's tokens, which are then all read anew
    constraint: Constraint | None = None  # a form that the text has to keep; one for this request alone
    adapter: str | None = None  # of those that the engine has; None: the model as it is

    def __post_init__(self) -> None:
        if not self.prompt:
            raise UserError("prompt: has no token to go on from; begin with the end-of-text token")
        if self.max_new_tokens < 0:
            raise UserError(f"max_new_tokens: {self.max_new_tokens} is negative; give 0 or more")
        if (self.top_log_probabilities or 0) < 0:
            raise UserError(f"top_log_probabilities: {self.top_log_probabilities} is negative; give 0 or more")


@dataclass(frozen=True)
class TokenLogProbability:
    """How likely a token was in the model's own distribution, before anything was done to it."""

    id: int
    log_probability: float
    top: tuple[tuple[int, float], ...] = ()  # the likeliest tokens there, likeliest first


@dataclass(frozen=True)
class Piece:
    """What one step added to a text."""

    text: str  # "" while a character, or what may become a stop string, is unfinished
    ids: list[int]
    log_probabilities: list[TokenLogProbability]  # of `ids`, where they were asked for
    reason: Reason | None = None  # why it is finished: only the last piece has one


@dataclass
class Usage:
    """Tokens of one request."""

    prompt: int  # read, those of the source included
    cached: int = 0  # of these, known from earlier requests
    new: int = 0  # written


class Ticket:
    """One request on its way. The engine's thread delivers, any other may take, listen and cancel."""

    def __init__(self, request: Request) -> None:
        self.request, self.usage = request, Usage(len(request.source or request.prompt))
        self.error: Exception | None = None  # why it failed; its last piece then says "cancelled"
        self.cancelled = False
        self.prompt: list[TokenLogProbability] = []  # of the prompt but its first token, before the first piece
        self._pieces: deque[Piece] = deque()
        self._changed = threading.Condition(threading.RLock())
        self._listener: Callable[[Piece], None] | None = None
        self._ended = False

    def __iter__(self) -> Iterator[Piece]:
        """The pieces as they come; the request's own error is raised behind its last one."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pieces or self._ended)
                if not self._pieces:
                    return
                piece = self._pieces.popleft()
            yield piece
            if piece.reason is not None:
                if self.error is not None:
                    raise self.error
                return

    def listen(self, callback: Callable[[Piece], None]) -> None:
        """Have every piece told, those that are there already too; from the engine's thread, so let it be short."""
        with self._changed:
            self._listener = callback
            while self._pieces:
                callback(self._pieces.popleft())

    def cancel(self) -> None:
        """Write no further: the last piece, reason "cancelled", comes before the next step."""
        self.cancelled = True

    @property
    def ended(self) -> bool:
        """Whether its last piece has been delivered."""
        return self._ended

    def deliver(self, piece: Piece) -> None:
        """The engine's: one more piece; what comes after the last one is dropped."""
        with self._changed:
            if self._ended:
                return
            self._ended = piece.reason is not None
            if self._listener is not None:
                self._listener(piece)
            else:
                self._pieces.append(piece)
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        """The engine's: it ends with an error."""
        if not self._ended:
            self.error = error
            self.deliver(Piece("", [], [], "cancelled"))
