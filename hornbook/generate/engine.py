"""The one loop that writes tokens, for every model with the decoding contract: read the prompts, then token by token.

A model gives `new_state(batch, capacity)`, room for everything it must remember, and takes it in `forward`. Prompts of
different lengths stand side by side with padding on the left, so that all of them end, and go on, in the same column.
A model with an encoder also reads the source of each, once, with padding on the right. Leaves out continuous batching,
speculation and beams.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.generate.sample import Sampling

Reason = Literal["end", "stop", "length"]


@dataclass
class Writing:
    """One prompt and what has been written for it. Whoever reads along may close it with a reason of their own."""

    prompt: list[int]  # what the text begins with; of an encoder-decoder, what its answer begins with
    generator: torch.Generator = field(default_factory=torch.Generator)  # where its random draws come from
    new: list[int] = field(default_factory=list)  # the token that ended it is left out
    reason: Reason | None = None  # why it is finished; None: it is not
    source: list[int] = field(default_factory=list)  # what the encoder reads; decoders have none


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where writing stops by itself."""

    max_new_tokens: int = 64
    context: int | None = None  # tokens the model can see, prompt included; None: no limit
    end: frozenset[int] = frozenset()  # ids after which nothing follows
    start: int | None = None  # what the answer of an encoder-decoder begins with; None: the model is a decoder
    vocab: int | None = None  # ids from here on are never written: a model's table may be larger than its tokenizer's

    def __post_init__(self) -> None:
        if self.max_new_tokens < 0:
            raise UserError(f"max_new_tokens: {self.max_new_tokens} is negative; give 0 or more")


def write(model: nn.Module, writings: Sequence[Writing], sampling: Sampling, limits: Limits) -> Iterator[None]:
    """Write on for every prompt together; after each step, those that are not finished have one more token.

    >>> for _ in write(model, writings, Sampling(temperature=0), Limits(end=frozenset([0]))):  # doctest: +SKIP
    ...     print([writing.new for writing in writings])
    """
    _check(writings, limits)
    training = model.training
    model.eval()
    try:
        desk = _Desk(model, writings, sampling, limits)
        while any(writing.reason is None for writing in writings):
            desk.step()
            yield
    finally:
        model.train(training)


class _Desk:
    """The batch that is being written: the model's state and, per row, what is masked and what was seen."""

    def __init__(self, model: Any, writings: Sequence[Writing], sampling: Sampling, limits: Limits) -> None:
        self.model, self.writings, self.sampling, self.limits = model, writings, sampling, limits
        self.forward = model.forward  # past `model.compile()`, which would compile every length of the state anew
        self.device = next(model.parameters()).device
        self.rooms = [_room(writing, limits) for writing in writings]  # tokens that may still be written, per row
        for writing, room in zip(writings, self.rooms, strict=True):
            writing.reason = writing.reason or (None if room else "length")
        self.longest = max(len(writing.prompt) for writing in writings)
        self.state: Any = None
        self.pads: Tensor | None = None  # (rows, 1): how much padding stands before each prompt; None: none at all
        self.mask: Any = None  # (rows, capacity): False where there is padding
        self.seen: Tensor | None = None  # (rows, vocab): what the repetition penalty is about

    @torch.inference_mode()
    def step(self) -> None:
        """One more token for every row; a row that is finished is computed along and ignored."""
        logits = self._read_prompts() if self.state is None else self._read_last()
        if self.sampling.repetition_penalty != 1:
            self._remember(logits.shape[-1])
        ids = self.sampling.choose(logits, self.seen, [writing.generator for writing in self.writings])
        self.last = ids[:, None]
        self.written += 1
        for writing, room, token in zip(self.writings, self.rooms, ids.tolist(), strict=True):
            if writing.reason is not None:
                continue
            if token in self.limits.end:
                writing.reason = "end"
                continue
            writing.new.append(token)
            if len(writing.new) >= room:
                writing.reason = "length"

    def _read_prompts(self) -> Tensor:
        """Prefill: the logits (rows, vocab) after every prompt's last token."""
        capacity = self.longest + max(self.rooms)
        self.state, self.written = self.model.new_state(len(self.writings), capacity), 0
        pads = [self.longest - len(writing.prompt) for writing in self.writings]
        rows = [[0] * pad + writing.prompt for pad, writing in zip(pads, self.writings, strict=True)]
        ids = torch.tensor(rows, device=self.device)
        if any(pads):
            self.pads = torch.tensor(pads, device=self.device)[:, None]
            self.mask = torch.arange(capacity, device=self.device) >= self.pads
        return self._forward(ids, torch.arange(self.longest, device=self.device))

    def _read_last(self) -> Tensor:
        """The logits (rows, vocab) after the token that was written last."""
        return self._forward(self.last, torch.tensor([self.longest + self.written - 1], device=self.device))

    def _forward(self, ids: Tensor, columns: Tensor) -> Tensor:
        """The next columns of the batch through the model; only the last one goes through the head."""
        if self.writings[0].source:
            mask = None if self.pads is None else self.mask[:, : self.state.length + len(columns)]
            source = self._source() if self.state.memory is None else {}
            output = self.forward(
                **source, decoder_input_ids=ids, decoder_attention_mask=mask, state=self.state, logits=False
            )
        elif self.pads is None:
            output = self.forward(ids, state=self.state, logits=False)
        else:  # a finished row runs on while others are open, but not past the last position that the model knows
            last = self.limits.context or sys.maxsize
            positions = (columns - self.pads).clamp(0, last - 1)
            mask = self.mask[:, : self.state.length + len(columns)]
            output = self.forward(ids, attention_mask=mask, positions=positions, state=self.state, logits=False)
        logits: Tensor = self.model.head(output.hidden[:, -1])
        return logits[:, : self.limits.vocab]

    def _source(self) -> dict[str, Tensor]:
        """What the encoder reads, and where it is padding."""
        sources = [torch.tensor(writing.source) for writing in self.writings]
        ids = nn.utils.rnn.pad_sequence(sources, batch_first=True).to(self.device)
        lengths = torch.tensor([len(source) for source in sources], device=self.device)
        real = torch.arange(ids.shape[1], device=self.device) < lengths[:, None]
        return {"input_ids": ids} if real.all() else {"input_ids": ids, "attention_mask": real}

    def _remember(self, vocab: int) -> None:
        """Mark what each row has read and written, for the repetition penalty."""
        if self.seen is None:
            self.seen = torch.zeros(len(self.writings), vocab, dtype=torch.bool, device=self.device)
            for row, writing in enumerate(self.writings):
                self.seen[row, torch.tensor(writing.prompt, device=self.device)] = True
        else:
            self.seen.scatter_(1, self.last, True)


def _room(writing: Writing, limits: Limits) -> int:
    """How many tokens may be written after a prompt."""
    if limits.context is None:
        return limits.max_new_tokens
    return min(limits.max_new_tokens, limits.context - len(writing.prompt))


def _check(writings: Sequence[Writing], limits: Limits) -> None:
    for number, writing in enumerate(writings):
        tokens, name = len(writing.prompt), f"prompt {number + 1}" if len(writings) > 1 else "prompt"
        if not tokens:
            raise UserError(f"{name}: has no token to go on from; begin with the end-of-text token")
        tokens = max(tokens, len(writing.source))
        if limits.context is not None and tokens > limits.context:
            raise UserError(f"{name}: {tokens} tokens do not fit the model's {limits.context}; shorten it")
