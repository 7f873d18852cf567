"""The shapes a model can have. So far one: `Decoder`, which says what comes next (GPT, Llama, Qwen, ...).

A model's config is the table in its paper; `recipes/models/` holds them. `build()` fills it with numbers from a seed;
under `with torch.device("meta")` it takes no memory, so that a model of any size can be counted.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from hornbook.model.embed import Head, Tokens
from hornbook.model.init import Init, Normal
from hornbook.model.mask import Sight
from hornbook.model.op import Context, State, count_positions, document_positions
from hornbook.model.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """Tokens in, a score for every possible next token out."""

    dim: int  # channels of the stream
    length: int  # context length the model is made for, tokens
    embed: Tokens
    stack: Stack
    tied: bool = True  # the head's matrix is the embedding's
    soft_cap: float | None = None  # logits stay in (-soft_cap, soft_cap)
    init: Init = field(default_factory=Normal)

    def __post_init__(self) -> None:
        for name in ("dim", "length", "soft_cap"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name}: {value} is not above 0; give more")
        with torch.device("meta"):
            DecoderModel(self)  # what does not fit together is said while the recipe is read

    def build(self, generator: torch.Generator | None = None) -> "DecoderModel":
        """A model with fresh weights drawn from `generator` (seed 0 without one), on the default device."""
        model, device = DecoderModel(self), torch.get_default_device()
        if device.type != "meta":
            self.init.fill(model, generator or torch.Generator(device).manual_seed(0))
        return model


@dataclass
class ModelOutput:
    """What a forward pass found."""

    hidden: Float[Tensor, "batch time dim"]  # the stream at the top; `model.head` turns it into logits
    scores: Float[Tensor, "batch time vocab"] | None = None

    @property
    def logits(self) -> Float[Tensor, "batch time vocab"]:
        """Scores of the next token at every place."""
        assert self.scores is not None, "this forward pass was called with logits=False; use model.head(output.hidden)"
        return self.scores


class DecoderModel(nn.Module):
    """A decoder with its weights."""

    def __init__(self, config: Decoder) -> None:
        super().__init__()
        self.config = config
        self.token_ids: dict[str, Any] = {}  # bos, eos, pad: carried from folder to folder, of no use in here
        self.embed = config.embed.build(config.dim)
        self.stack = config.stack.build(config.dim, config.length)
        self.head = Head(config.dim, config.embed.vocab, config.soft_cap)
        self.tie()

    def tie(self) -> None:
        """Make head and embedding one parameter, where the config says so."""
        if self.config.tied:
            self.head.weight = self.embed.table.weight

    def new_state(self, batch: int, capacity: int) -> State:
        """Memory to decode up to `capacity` tokens in each of `batch` rows."""
        return self.stack.new_state(batch, capacity)

    def forward(
        self,
        input_ids: Int[Tensor, "batch time"],
        *,
        attention_mask: Shaped[Tensor, "batch keys"] | None = None,
        document_ids: Int[Tensor, "batch time"] | None = None,
        positions: Int[Tensor, "rows time"] | None = None,
        state: State | None = None,
        logits: bool = True,
    ) -> ModelOutput:
        """Read `input_ids`, after what `state` remembers, and score the next token at every place.

        attention_mask: 0 where an id is padding (left or right); what is kept is as if it stood alone. With a state it
            tells of the remembered tokens too: (batch, state.length + time), at every call.
        document_ids: packed rows; a token sees its own document only. Not together with a state.
        positions: where not given, counted without padding and anew in each document.
        logits: False returns only `hidden`, for a loss that calls `model.head` on parts of it.
        """
        sight = _look(input_ids, attention_mask, document_ids, state)
        if positions is None:
            positions = _positions(input_ids, sight, self.stack.position.limit)
        position = self.stack.position
        x = self.embed(input_ids, position, positions)
        hidden = self.stack(x, Context(position, positions, sight, position.prepare(positions, x)), state)
        if state is not None:
            state.length += input_ids.shape[1]
        return ModelOutput(hidden, self.head(hidden) if logits else None)


def _look(ids: Tensor, attention_mask: Tensor | None, documents: Tensor | None, state: State | None) -> Sight:
    """What the tokens of this pass may look at."""
    time, start = ids.shape[1], state.length if state else 0
    end = start + time
    if state and end > state.capacity:
        raise ValueError(f"{end} tokens do not fit a state made for {state.capacity}; make it with a larger capacity")
    if documents is not None and start:
        raise ValueError("document_ids: packed rows cannot go on from a state; decode each document as its own row")
    if attention_mask is None:
        return Sight(time, start, documents=documents)
    if attention_mask.shape[1] != end:
        raise ValueError(f"attention_mask: tells of {attention_mask.shape[1]} tokens, there are {end}; tell of all")
    return Sight(time, start, attention_mask.bool(), documents)


def _positions(ids: Tensor, sight: Sight, limit: int | None) -> Int[Tensor, "rows time"]:
    if sight.documents is not None:
        return document_positions(sight.documents)
    if sight.real is not None:
        return count_positions(sight.real)[:, sight.start :]
    if limit is not None and sight.start + sight.time > limit:
        raise ValueError(
            f"{sight.start + sight.time} tokens are more than the {limit} positions of the model; give fewer"
        )
    return sight.indices(ids.device)[0][None]


Model = Decoder
