"""The one loop that writes tokens, for every model with the decoding contract: read the prompts, then token by token.

A model gives `new_state(batch, capacity)`, room for everything it must remember, and takes it in `forward`. Prompts of
different lengths stand side by side with padding on the left, so that all of them end, and go on, in the same column.
A prompt that stands there several times is read once, and texts that are finished leave when they are half of all.
A model with an encoder also reads the source of each, once, with padding on the right. Left out: texts that
come and go while others are written (slots.py), speculation and beams (files of their own).
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.generate.past import Past
from hornbook.generate.processors import NOTHING
from hornbook.generate.sample import Sampling
from hornbook.model.op import choose_rows

Reason = Literal["end", "stop", "length"]


@dataclass
class Writing:
    """One prompt and what has been written for it. Whoever reads along may close it with a reason of their own."""

    prompt: list[int]  # what the text begins with; of an encoder-decoder, what its answer begins with
    generator: torch.Generator = field(default_factory=torch.Generator)  # where its random draws come from
    new: list[int] = field(default_factory=list)  # the token that ended it is left out
    reason: Reason | None = None  # why it is finished; None: it is not
    source: list[int] = field(default_factory=list)  # what the encoder reads; decoders have none
    end: int | None = None  # the token that ended it
    log_probabilities: list[float] = field(default_factory=list)  # of `new` and `end`, where `Limits` asks for them


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where writing stops by itself."""

    max_new_tokens: int = 64
    context: int | None = None  # tokens the model can see, prompt included; None: no limit
    end: frozenset[int] = frozenset()  # ids after which nothing follows
    start: int | None = None  # what the answer of an encoder-decoder begins with; None: the model is a decoder
    vocab: int | None = None  # ids from here on are never written: a model's table may be larger than its tokenizer's
    log_probabilities: bool = False  # whether each text remembers how likely its tokens were, as they were drawn

    def __post_init__(self) -> None:
        if self.max_new_tokens < 0:
            raise UserError(f"max_new_tokens: {self.max_new_tokens} is negative; give 0 or more")


def write(model: nn.Module, writings: Sequence[Writing], sampling: Sampling, limits: Limits) -> Iterator[None]:
    """Write on for every prompt together; after each step, those that are not finished have one more token.

    >>> for _ in write(model, writings, Sampling(temperature=0), Limits(end=frozenset([0]))):  # doctest: +SKIP
    ...     print([writing.new for writing in writings])
    """
    check(writings, limits)
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
    """The batch that is being written: the model's state and, per row, what is masked and what came before."""

    def __init__(self, model: Any, writings: Sequence[Writing], sampling: Sampling, limits: Limits) -> None:
        self.model, self.writings, self.sampling, self.limits = model, list(writings), sampling, limits
        self.forward = model.forward  # past `model.compile()`, which would compile every length of the state anew
        self.device = next(model.parameters()).device
        for writing in writings:
            writing.reason = writing.reason or (None if room(writing, limits) else "length")
        self.longest = max(len(writing.prompt) for writing in writings)
        self.state: Any = None
        self.pads: Tensor | None = None  # (rows, 1): how much padding stands before each prompt; None: none at all
        self.mask: Any = None  # (rows, capacity): False where there is padding
        self.pasts = [Past(each.prompt, each.new, room(each, limits)) for each in writings]

    @torch.inference_mode()
    def step(self) -> None:
        """One more token for every row; a row that is finished is computed along and ignored."""
        if self.state is None:
            logits = self._read_prompts()
        else:
            self._clear()
            logits = self._read_last()
        ids = self.sampling.choose(logits, self.pasts, [writing.generator for writing in self.writings])
        self.last = ids.clamp(min=0)[:, None]
        self.written += 1
        chances = self._chances(logits)
        for row, (writing, token) in enumerate(zip(self.writings, ids.tolist(), strict=True)):
            if writing.reason is not None:
                continue
            put(writing, token, self.limits)
            if chances:
                writing.log_probabilities.append(chances[row])

    def _chances(self, logits: Tensor) -> list[float]:
        """How likely the tokens just drawn were, where that is to be remembered."""
        if not self.limits.log_probabilities:
            return []
        shown = self.sampling.filter(logits.float(), self.pasts)
        total = shown.logsumexp(-1)
        if not total.isfinite().all():
            raise UserError("the model's scores are not finite numbers, so nothing can be drawn; take an earlier one")
        found = shown.gather(1, self.last)[:, 0] - total
        return [float(chance) for chance in found.tolist()]

    def _read_prompts(self) -> Tensor:
        """Prefill: the logits (rows, vocab) after every prompt's last token; a prompt that comes again is read once."""
        capacity = self.longest + max(room(writing, self.limits) for writing in self.writings)
        writings, different, copies = self.writings, *_different(self.writings)
        self.writings = different
        self.state, self.written = self.model.new_state(len(different), capacity), 0
        pads = [self.longest - len(writing.prompt) for writing in different]
        rows = [[0] * pad + writing.prompt for pad, writing in zip(pads, different, strict=True)]
        ids = torch.tensor(rows, device=self.device)
        if any(pads):
            self.pads = torch.tensor(pads, device=self.device)[:, None]
            self.mask = torch.arange(capacity, device=self.device) >= self.pads
        logits = self._forward(ids, torch.arange(self.longest, device=self.device))
        if len(different) < len(writings):
            logits = logits[copies]
            self._take(copies)
        self.writings = writings
        return logits

    def _clear(self) -> None:
        """Finished rows leave once they are half of all: what stays is copied, so it is not done for every one."""
        still = [row for row, writing in enumerate(self.writings) if writing.reason is None]
        if 2 * len(still) <= len(self.writings):
            self._take(still)
            self.last = self.last[still]
            self.writings = [self.writings[row] for row in still]
            self.pasts = [self.pasts[row] for row in still]

    def _take(self, rows: list[int]) -> None:
        """Go on with these rows of the batch, some perhaps several times."""
        index = torch.tensor(rows, device=self.device)
        self.state = choose_rows(self.state, index)
        self.pads, self.mask = (choose_rows(each, index) for each in (self.pads, self.mask))

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


def put(writing: Writing, token: int, limits: Limits) -> None:
    """Write one more token, which may be the last; UserError where none could be drawn."""
    if token == NOTHING:
        raise UserError("no token can be drawn: all are ruled out, or the scores are no numbers; allow more")
    if token in limits.end:
        writing.reason, writing.end = "end", token
        return
    writing.new.append(token)
    if len(writing.new) >= room(writing, limits):
        writing.reason = "length"


def _different(writings: Sequence[Writing]) -> tuple[list[Writing], list[int]]:
    """The first writing of every different prompt, and which of these each one is like."""
    first: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    keys = [(tuple(writing.prompt), tuple(writing.source)) for writing in writings]
    copies = [first.setdefault(key, len(first)) for key in keys]
    return [writings[copies.index(number)] for number in range(len(first))], copies


def room(writing: Writing, limits: Limits) -> int:
    """How many tokens may be written after a prompt."""
    if limits.context is None:
        return limits.max_new_tokens
    return min(limits.max_new_tokens, limits.context - len(writing.prompt))


def check(writings: Sequence[Writing], limits: Limits) -> None:
    """UserError where a prompt cannot be written on."""
    for number, writing in enumerate(writings):
        tokens, name = len(writing.prompt), f"prompt {number + 1}" if len(writings) > 1 else "prompt"
        if not tokens:
            raise UserError(f"{name}: has no token to go on from; begin with the end-of-text token")
        tokens = max(tokens, len(writing.source))
        if limits.context is not None and tokens > limits.context:
            raise UserError(f"{name}: {tokens} tokens do not fit the model's {limits.context}; shorten it")
