"""A prompt on its way into a state of its own, a chunk at a time, from where an earlier one left off.

A long prompt read at once would keep all others waiting; between two chunks everybody else writes a token (Agrawal et
al. 2024, Sarathi-Serve, section 4.2; there a chunk and a step are one pass).
"""

from typing import Any

import torch
from torch import Tensor

from hornbook.generate.answer import Answer
from hornbook.generate.prefix import Prefixes
from hornbook.generate.snapshot import kinds, resume, shorten
from hornbook.model.op import State


class Reading:
    """The prompt of one answer."""

    def __init__(self, model: Any, answer: Answer, prefixes: Prefixes, capacity: int) -> None:
        """capacity: tokens of the longest text, which some states must have room for from the beginning."""
        self.model, self.answer, self.prefixes = model, answer, prefixes
        self.prompt, self.source = answer.writing.prompt, answer.writing.source
        self.remembers = prefixes.most_bytes > 0 and not self.source  # what an encoder says is not kept
        self.grows = kinds(model.new_state(1, 1))
        self.adapter = answer.ticket.request.adapter
        known = prefixes.find(self.prompt, self.adapter) if self.remembers and not answer.scored else None
        room = capacity if "steps" in self.grows else len(self.prompt)
        self.done = self.cached = 0 if known is None else known[1]
        self.state: State = model.new_state(1, room) if known is None else resume(model, *known, room)

    @property
    def left(self) -> int:
        """Tokens still to be read."""
        return len(self.prompt) - self.done

    def read(self, tokens: int) -> tuple[int, Tensor]:
        """The next chunk, at most so long: how long it was, and what the head makes logits of, (1, dim)."""
        chunk = self.prompt[self.done : self._end(tokens)]
        hidden = self._forward(chunk)
        if self.answer.scored:
            self.answer.read(self.done, self.model.head(hidden[0])[:, : self.answer.limits.vocab])
        self.done += len(chunk)
        if self.remembers and (self.left == 0 or self.grows != {"columns"}):
            self.prefixes.keep(self.prompt[: self.done], shorten(self.state, self.done), self.adapter)
        return len(chunk), hidden[:, -1]

    def _end(self, tokens: int) -> int:
        """Where the chunk ends. A recurrence stops before the last token: from there another such prompt can go on."""
        end = min(self.done + tokens, len(self.prompt))
        stops = self.remembers and self.grows != {"columns"} and end == len(self.prompt) and self.left > 1
        return end - stops

    def _forward(self, ids: list[int]) -> Tensor:
        device = next(self.model.parameters()).device
        row = torch.tensor([ids], device=device)
        if self.source:
            source = torch.tensor([self.source], device=device) if self.state.memory is None else None
            output = self.model.forward(source, decoder_input_ids=row, state=self.state, logits=False)
        else:
            output = self.model.forward(row, state=self.state, logits=False)
        hidden: Tensor = output.hidden
        return hidden
