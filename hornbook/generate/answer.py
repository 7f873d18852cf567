"""One request while it is being answered: from the logits of its row to the pieces of its text.

Everything that is a request's own stands here: its sampling, its seed, its limits, its stop strings, its constraint,
what of the log-probabilities it wants told. The batch it is computed in (turns.py) knows none of that.
"""

import time
from collections.abc import Set
from dataclasses import replace
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate.engine import Limits, Writing, check, put, room
from hornbook.generate.past import Past
from hornbook.generate.row_adapters import names
from hornbook.generate.stream import Reader
from hornbook.generate.ticket import Piece, Reason, Ticket, TokenLogProbability
from hornbook.model.models import AnyModel
from hornbook.text.tokenizer import Tokenizer


class Speaks(Protocol):
    """What is needed of a model with its tokenizer: language_model.py."""

    module: AnyModel
    tokenizer: Tokenizer | None

    def limits(self, max_new_tokens: int) -> Limits: ...


class Answer:
    """A ticket and what has been written for it."""

    def __init__(self, ticket: Ticket, lm: Speaks, capacity: int) -> None:
        """capacity: tokens that prompt and text may have together. UserError where the request cannot be answered."""
        self.born = time.perf_counter()
        request, self.ticket, self.sampling = ticket.request, ticket, ticket.request.sampling
        if lm.tokenizer is None:
            raise UserError("the model's folder has no tokenizer.json, so text means nothing to it; add the tokenizer")
        self.limits = replace(lm.limits(request.max_new_tokens), context=capacity)
        self.generator = torch.Generator()
        self.generator.seed() if request.seed is None else self.generator.manual_seed(request.seed)
        self.writing = Writing(list(request.prompt), self.generator, source=list(request.source))
        self._check(min(lm.tokenizer.vocab, lm.module.config.vocab), names(lm.module) if request.adapter else set())
        most = room(self.writing, self.limits)
        self.writing.reason = None if most else "length"
        self.past = Past(self.writing.prompt, self.writing.new, most)
        self.reader = Reader(self.writing, lm.tokenizer, request.stop)

    def _check(self, vocab: int, adapters: Set[str]) -> None:
        wanted = self.ticket.request.adapter
        if wanted is not None and wanted not in adapters:
            raise UserError(f"adapter: {wanted!r} is not on this model; it has {', '.join(sorted(adapters)) or 'none'}")
        check([self.writing], self.limits)
        if (self.limits.start is None) == bool(self.writing.source):
            raise UserError("source: goes with an encoder-decoder, and every request of one has it; see `Request`")
        strange = [token for token in (*self.writing.prompt, *self.writing.source) if not 0 <= token < vocab]
        if strange:
            raise UserError(f"prompt: {strange[0]} is no token, the model's ids are 0 to {vocab - 1}; encode it anew")
        if self.sampling.bias or self.sampling.banned or self.sampling.first or self.sampling.last is not None:
            self.sampling.adjust(torch.zeros(1, vocab), [Past(self.writing.prompt, [])])  # refuses what is no token

    @property
    def ids(self) -> list[int]:
        """The prompt and what was written."""
        return self.writing.prompt + self.writing.new

    @property
    def ended(self) -> bool:
        """Whether it is finished."""
        return self.ticket.ended

    def ruled(self, logits: Float[Tensor, " vocab"]) -> Float[Tensor, " vocab"]:
        """The logits without what its constraint rules out."""
        if self.ticket.request.constraint is None:
            return logits
        allowed = self.ticket.request.constraint.allowed()[: len(logits)].to(logits.device)
        ruled = torch.full_like(logits, float("-inf"))
        return ruled.index_put((allowed.nonzero()[:, 0],), logits[: len(allowed)][allowed])

    def take(self, token: int, logits: Float[Tensor, " vocab"]) -> None:
        """Write the token that was drawn from these logits, and deliver what it adds to the text."""
        before, constraint = len(self.writing.new), self.ticket.request.constraint
        put(self.writing, token, self.limits)
        new = self.writing.new[before:]
        if constraint is not None and new:
            constraint.take(token)
            if constraint.done:
                self.writing.reason = "end"
        chances = [self._chance(token, logits)] if new and self.ticket.request.top_log_probabilities is not None else []
        self.ticket.usage.new += len(new)
        text = self.reader.piece()  # which may find a stop string
        self.ticket.deliver(Piece(text, new, chances, self.writing.reason))

    @property
    def scored(self) -> bool:
        """Whether the prompt's tokens are told."""
        return self.ticket.request.prompt_too

    def read(self, done: int, logits: Float[Tensor, "tokens vocab"]) -> None:
        """The prompt was read on from its token `done`, which gave these logits: note how likely the next ones were."""
        following = self.writing.prompt[done + 1 : done + 1 + len(logits)]
        self.ticket.prompt += [self._chance(token, row) for token, row in zip(following, logits, strict=False)]

    def close(self, reason: Reason) -> None:
        """It ends here, with what was held back of its text."""
        if reason == "length":
            self.writing.reason = "length"
        text = self.reader.piece() if reason == "length" else ""
        self.ticket.deliver(Piece(text, [], [], reason))

    def _chance(self, token: int, logits: Tensor) -> TokenLogProbability:
        shares = logits.float().log_softmax(-1)
        top = shares.topk(min(self.ticket.request.top_log_probabilities or 0, len(shares)))
        others = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        return TokenLogProbability(token, float(shares[token]), tuple(others))
