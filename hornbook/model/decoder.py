"""A decoder says what comes next (GPT, Llama, Qwen, Mamba, ...), or with another head what it makes of a whole text.

A model's config is the table in its paper; `recipes/models/` holds them. `build()` fills it with numbers from a seed;
under `with torch.device("meta")` it takes no memory, so that a model of any size can be counted.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from hornbook.model.balance import balance
from hornbook.model.embed import Tokens
from hornbook.model.head import Language
from hornbook.model.heads import DecoderHead
from hornbook.model.init import Init, Normal
from hornbook.model.mask import Sight
from hornbook.model.op import Context, State
from hornbook.model.pool import RowHead, Rows
from hornbook.model.shape import ModelBase, ModelOutput, check_sizes, fill, look, positions_of
from hornbook.model.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """Tokens in, a score for every possible next token out; or of each row a score for every label."""

    USUAL: ClassVar[bool] = True  # what a model without `type:` is

    dim: int  # channels of the stream
    length: int  # context length the model is made for, tokens
    embed: Tokens
    stack: Stack
    head: DecoderHead = field(default_factory=Language)
    init: Init = field(default_factory=Normal)

    def __post_init__(self) -> None:
        check_sizes(self.dim, self.length)
        with torch.device("meta"):
            DecoderModel(self)  # what does not fit together is said while the recipe is read

    @property
    def vocab(self) -> int:
        """Number of token ids."""
        return self.embed.vocab

    @property
    def tied(self) -> bool:
        """Whether the head is the embedding."""
        return isinstance(self.head, Language) and self.head.tied

    def build(self, generator: torch.Generator | None = None) -> "DecoderModel":
        """A model with fresh weights drawn from `generator` (seed 0 without one), on the default device."""
        model = DecoderModel(self)
        fill(model, self.init, generator)
        return model


class DecoderModel(ModelBase):
    """A decoder with its weights."""

    config: Decoder

    def __init__(self, config: Decoder) -> None:
        super().__init__(config)
        self.embed = config.embed.build(config.dim)
        self.stack = config.stack.build(config.dim, config.length, config.embed.width)
        self.head = config.head.build(config.dim, config.vocab, config.embed.width or config.dim)
        self.tie()

    def shared(self) -> dict[str, str]:
        """A tied head is the embedding."""
        return {"head.weight": "embed.table.weight"} if self.config.tied else {}

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
        """Read `input_ids`, after what `state` remembers, and score the next token at every place, or each row.

        attention_mask: 0 where an id is padding (left or right); what is kept is as if it stood alone. With a state it
            tells of the remembered tokens too: (batch, state.length + time), at every call.
        document_ids: packed rows; a token sees its own document only. Not together with a state. A head that reads
            whole rows scores each document: row by row, in each from left to right.
        positions: where not given, counted without padding and anew in each document.
        logits: False returns only `hidden`, for a loss that calls `model.head` on parts of it.
        """
        position = self.stack.position
        sight = look(input_ids.shape[1], attention_mask, document_ids, state)
        if positions is None:
            positions = positions_of(sight, input_ids.device, position.limit)
        x = self.embed(input_ids, position, positions)
        context = Context(position, positions, sight, x, self.stack.ways)
        hidden = self.stack(x, context, state)
        if state is not None:
            state.length += input_ids.shape[1]
        found = self._found(hidden, sight) if logits else {}
        return ModelOutput(hidden, **found, balance=balance(context.routed))

    def _found(self, hidden: Tensor, sight: Sight) -> Rows:
        """What the head says."""
        if not isinstance(self.head, RowHead):
            return {"scores": self.head(hidden)}
        if sight.start:
            raise ValueError("state: the head reads whole rows; give a row at once, without a state")
        return self.head.rows(hidden, sight.real, sight.documents)
