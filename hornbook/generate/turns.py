"""What an engine does over and over: read on in a prompt, then write one token more in every text.

A text that is finished or cancelled gives up its slot before the next step, and the next prompt takes it. A request
that fails ends alone. Nothing here knows of threads (serving.py).
"""

import time
from collections import deque
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hornbook.generate.answer import Answer
from hornbook.generate.prefix import Prefixes
from hornbook.generate.reading import Reading
from hornbook.generate.row_adapters import chosen
from hornbook.generate.sample import choose_each
from hornbook.generate.slots import Slots


@dataclass
class Tally:
    """What has been done since the engine began."""

    requests: int = 0  # finished, however
    failed: int = 0
    cancelled: int = 0
    prompt_tokens: int = 0  # read
    cached_tokens: int = 0  # of prompts, known from before
    new_tokens: int = 0
    steps: int = 0
    reading_seconds: float = 0.0
    writing_seconds: float = 0.0
    first_tokens: int = 0
    first_token_seconds: float = 0.0  # from request to first token, of all of them together


class Turns:
    """The requests of one model: waiting, being read, being written."""

    def __init__(self, model: Any, slots: int, capacity: int, prefixes: Prefixes) -> None:
        self.model, self.slots, self.prefixes = model, Slots(model, slots, capacity), prefixes
        self.waiting: deque[Answer] = deque()
        self.reading: Reading | None = None
        self.active: list[Answer] = []  # row by row of the slots
        self.last: list[int] = []  # the token that each of them reads next
        self.tally = Tally()

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.waiting or self.reading or self.active)

    @property
    def answers(self) -> list[Answer]:
        """All that are not finished."""
        return [*self.waiting, *([self.reading.answer] if self.reading else []), *self.active]

    @torch.inference_mode()
    def turn(self, chunk: int) -> None:
        """At most `chunk` tokens of prompts, and one token for every text."""
        self._sweep()
        began = time.perf_counter()
        while chunk > 0 and len(self.active) < self.slots.slots and (self.reading or self.waiting):
            chunk -= self._read(chunk)
        read = time.perf_counter()
        self.tally.reading_seconds += read - began
        if self.active:
            self._step()
            self.tally.writing_seconds += time.perf_counter() - read

    def _sweep(self) -> None:
        """Let those go that were cancelled."""
        for answer in [each for each in self.waiting if each.ticket.cancelled]:
            self.waiting.remove(answer)
            self._cancel(answer)
        if self.reading is not None and self.reading.answer.ticket.cancelled:
            self._cancel(self.reading.answer)
            self.reading = None
        for row in reversed(range(len(self.active))):
            if self.active[row].ticket.cancelled:
                self._cancel(self.active[row])
                self._leave(row)

    def _read(self, tokens: int) -> int:
        """The next chunk of a prompt, and behind its end the first token of the answer; tokens read."""
        answer = self.waiting.popleft() if self.reading is None else self.reading.answer
        try:
            if answer.writing.reason is not None and not answer.scored:  # there is no room to write anything
                self._close(answer)
                return 0
            reading = self.reading = self.reading or Reading(self.model, answer, self.prefixes, self.slots.capacity)
            with self._adapters([answer]):
                tokens, hidden = reading.read(tokens)
                self.tally.prompt_tokens += tokens
                if reading.left == 0:
                    self.reading = None
                    self._begin(reading, hidden)
        except Exception as error:  # whatever one prompt does to the model, the others go on
            self.reading = None
            self._fail(answer, error)
        return tokens

    def _begin(self, reading: Reading, hidden: Tensor) -> None:
        """The first token, and a slot for those that follow."""
        answer = reading.answer
        answer.ticket.usage.cached = reading.cached
        self.tally.cached_tokens += reading.cached
        if answer.writing.reason is not None:  # only the prompt was asked for
            self._close(answer)
            return
        last = self._write([answer], self.model.head(hidden))
        if not answer.ended:
            self.tally.first_tokens += 1
            self.tally.first_token_seconds += time.perf_counter() - answer.born
            self.slots.enter(reading.state)
            self.active.append(answer)
            self.last += last

    def _step(self) -> None:
        """One token more for every text."""
        try:
            with self._adapters(self.active):
                hidden = self.slots.step(torch.tensor(self.last, device=self.slots.device))
                logits = self.model.head(hidden)
            self.last = self._write(self.active, logits)
        except Exception as error:  # all of these were in the step; those that wait were not
            for answer in self.active:
                self._fail(answer, error)
        self.tally.steps += 1
        for row in reversed(range(len(self.active))):
            if self.active[row].ended:
                self._leave(row)

    def _adapters(self, answers: list[Answer]) -> AbstractContextManager[None]:
        """Within it each row has the adapter that its answer wants."""
        return chosen([answer.ticket.request.adapter for answer in answers], self.slots.device)

    def _write(self, answers: list[Answer], logits: Tensor) -> list[int]:
        """Draw a token for each row and let each answer take its own; the tokens."""
        logits = logits[:, : answers[0].limits.vocab]
        rows = self._ruled(answers, logits)
        pasts, generators = [answer.past for answer in answers], [answer.generator for answer in answers]
        tokens = choose_each(rows, [answer.sampling for answer in answers], pasts, generators).tolist()
        for answer, token, row in zip(answers, tokens, logits, strict=True):
            if answer.ended:
                continue
            try:
                answer.take(token, row)
            except Exception as error:  # scores that are no numbers, a constraint, a listener: its own
                self._fail(answer, error)
                continue
            self.tally.new_tokens += 1
            self.tally.requests += answer.ended
        return [max(token, 0) for token in tokens]

    def _ruled(self, answers: list[Answer], logits: Tensor) -> Tensor:
        """The logits without what constraints rule out."""
        if all(answer.ticket.request.constraint is None for answer in answers):
            return logits
        logits = logits.clone()
        for row, answer in enumerate(answers):
            try:
                logits[row] = answer.ruled(logits[row])
            except Exception as error:  # its constraint's own
                self._fail(answer, error)
        return logits

    def _leave(self, row: int) -> None:
        """Free a row; the last one takes its place. What it has read may begin another prompt, as in a chat."""
        answer = self.active[row]
        if self.prefixes.most_bytes > 0 and not answer.writing.source and answer.ticket.error is None:
            known, adapter = answer.ids[: self.slots.lengths[row]], answer.ticket.request.adapter
            self.prefixes.keep(known, self.slots.copy(row), adapter)
        self.slots.leave(row)
        last, token = self.active.pop(), self.last.pop()
        if row < len(self.active):
            self.active[row], self.last[row] = last, token

    def _close(self, answer: Answer) -> None:
        answer.close("length")
        self.tally.requests += 1

    def _cancel(self, answer: Answer) -> None:
        answer.close("cancelled")
        self.tally.cancelled += 1
        self.tally.requests += 1

    def _fail(self, answer: Answer, error: Exception) -> None:
        """It ends with an error."""
        if not answer.ended:
            self.tally.failed += 1
            self.tally.requests += 1
        answer.ticket.fail(error)
