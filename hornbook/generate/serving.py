"""Many requests for one model at once: they are put in, answered side by side, and each is told its text as it comes.

    engine = Engine(lm, EngineSettings(slots=8))
    engine.start()
    ticket = engine.submit(Request(prompt=ids, sampling=Sampling(temperature=0.7), max_new_tokens=100))
    for piece in ticket:
        print(piece.text, end="", flush=True)
    engine.close()

One thread does all that concerns the model, turn by turn (turns.py, slots.py). Any thread may put requests in: they
wait in a queue of bounded length, and where that is full they are refused at once (`Full`), so that whoever asks knows
it and memory does not grow.
"""

import threading
from collections import deque
from dataclasses import asdict, dataclass

from hornbook.core.errors import UserError
from hornbook.generate.answer import Answer, Speaks
from hornbook.generate.prefix import Prefixes
from hornbook.generate.ticket import Piece, Request, Ticket, TokenLogProbability, Usage
from hornbook.generate.turns import Turns

__all__ = ["Engine", "EngineSettings", "Full", "Piece", "Request", "Ticket", "TokenLogProbability", "Usage"]


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How much an engine does at once."""

    slots: int = 8  # texts written side by side
    queue: int = 64  # requests that wait for a slot; more are refused
    chunk: int = 256  # tokens of prompts that are read between two steps
    capacity: int | None = None  # tokens of a text, prompt included; None: as many as the model sees
    prefix_bytes: int = 256 * 2**20  # what may be remembered of earlier texts; 0: nothing

    def __post_init__(self) -> None:
        for name in ("slots", "queue", "chunk"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}: {getattr(self, name)} lets nothing through; give at least 1")
        if self.capacity is not None and self.capacity < 2:
            raise UserError(f"capacity: {self.capacity} tokens hold no prompt and answer; give at least 2")
        if self.prefix_bytes < 0:
            raise UserError(f"prefix_bytes: {self.prefix_bytes} is negative; 0 remembers nothing")


class Full(UserError):
    """The queue is full, or the engine is closing: ask again later."""


class Engine:
    """A model, and the thread that writes with it."""

    def __init__(self, lm: Speaks, settings: EngineSettings | None = None) -> None:
        self.lm, self.settings = lm, settings or EngineSettings()
        length: int = lm.limits(1).context or 2**31
        self.capacity = min(length, self.settings.capacity or length)
        lm.module.eval()
        prefixes = Prefixes(self.settings.prefix_bytes)
        self._turns = Turns(lm.module, self.settings.slots, self.capacity, prefixes)
        self._new: deque[Answer] = deque()  # put in, not yet seen by the thread
        self._changed = threading.Condition()
        self._closing = self._dropping = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive() and not self._closing

    def submit(self, request: Request) -> Ticket:
        """Put a request in; `Full` where too many wait, UserError where it can never be answered."""
        ticket = Ticket(request)
        answer = Answer(ticket, self.lm, self.capacity)
        with self._changed:
            if self._closing:
                raise Full("the engine is closing; ask another one")
            if self._waiting() >= self.settings.queue:
                raise Full(f"{self.settings.queue} requests wait already; ask again later")
            self._new.append(answer)
            self._changed.notify()
        return ticket

    def close(self, *, drain: bool = True) -> None:
        """Take no more requests and end; `drain`: once those that are there are answered, else they are cancelled."""
        with self._changed:
            self._closing = True
            self._dropping = self._dropping or not drain
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()
        self._take_new()
        self._cancel_all()  # of an engine that never began
        self._turns.turn(0)

    def stats(self) -> dict[str, float]:
        """What it does and has done: texts `active` in `slots`, requests `waiting`, tokens, seconds."""
        turns = self._turns
        now = {"slots": self.settings.slots, "active": len(turns.active), "waiting": self._waiting()}
        kept = {"prefix_bytes": turns.prefixes.bytes, "prefixes": len(turns.prefixes.kept)}
        return {**now, **kept, **asdict(turns.tally)}

    def _waiting(self) -> int:
        """Requests without a slot, but for those that were cancelled."""
        waiting = [*self._new, *self._turns.waiting]
        return sum(not answer.ticket.cancelled for answer in waiting) + (self._turns.reading is not None)

    def _run(self) -> None:
        """The thread: turn after turn while there is work."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._new or self._turns.busy or self._closing)
                self._take_new()
            if self._dropping:
                self._cancel_all()
            if self._closing and not self._turns.busy:
                return
            self._turns.turn(self.settings.chunk)

    def _take_new(self) -> None:
        while self._new:
            self._turns.waiting.append(self._new.popleft())

    def _cancel_all(self) -> None:
        for answer in self._turns.answers:
            answer.ticket.cancel()
