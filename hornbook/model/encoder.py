"""An encoder reads a whole row at once, in both directions (BERT, RoBERTa, ESM; ViT, whose tokens are patches)."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from hornbook.model.embed import Tokens
from hornbook.model.head import Language
from hornbook.model.init import Init, Normal
from hornbook.model.op import Context
from hornbook.model.shape import ModelBase, ModelOutput, check_sizes, fill, look, positions_of
from hornbook.model.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Tokens or an image in, a vector for each token out, and what the head makes of them."""

    dim: int  # channels of the stream
    length: int  # longest row the model is made for, tokens
    embed: Tokens
    stack: Stack
    head: Language | None = None  # None: the vectors themselves
    init: Init = field(default_factory=Normal)

    def __post_init__(self) -> None:
        check_sizes(self.dim, self.length)
        with torch.device("meta"):
            EncoderModel(self)  # what does not fit together is said while the recipe is read

    @property
    def vocab(self) -> int:
        """Number of token ids."""
        return self.embed.vocab

    def build(self, generator: torch.Generator | None = None) -> "EncoderModel":
        """A model with fresh weights drawn from `generator` (seed 0 without one), on the default device."""
        model = EncoderModel(self)
        fill(model, self.init, generator)
        return model


class EncoderModel(ModelBase):
    """An encoder with its weights."""

    config: Encoder

    def __init__(self, config: Encoder) -> None:
        super().__init__(config)
        self.embed = config.embed.build(config.dim)
        self.stack = config.stack.build(config.dim, config.length, config.embed.width)
        self.head = config.head.build(config.dim, config.embed.vocab) if config.head else None
        self.tie()

    def shared(self) -> dict[str, str]:
        """A tied head is the embedding."""
        return {"head.weight": "embed.table.weight"} if self.config.head and self.config.head.tied else {}

    def forward(
        self,
        input_ids: Int[Tensor, "batch time"] | None = None,
        *,
        attention_mask: Shaped[Tensor, "batch time"] | None = None,
        token_type_ids: Int[Tensor, "batch time"] | None = None,
        document_ids: Int[Tensor, "batch time"] | None = None,
        positions: Int[Tensor, "rows time"] | None = None,
        pixel_values: Float[Tensor, "batch channels height width"] | None = None,
        logits: bool = True,
    ) -> ModelOutput:
        """Read whole rows of tokens (or images) and say what the head makes of them.

        attention_mask: 0 where an id is padding; what is kept is as if it stood alone.
        token_type_ids: the segment of each token (BERT's sentences A and B).
        document_ids: packed rows; a token sees its own document only.
        logits: False returns only `hidden`.
        """
        assert input_ids is not None, "pixel_values need patches"
        position = self.stack.position
        sight = look(input_ids.shape[1], attention_mask, document_ids)
        if positions is None:
            positions = positions_of(sight, input_ids.device, position.limit)
        x = self.embed(input_ids, position, positions, token_type_ids)
        hidden = self.stack(x, Context(position, positions, sight, x, self.stack.ways))
        if self.head is None or not logits:
            return ModelOutput(hidden)
        return ModelOutput(hidden, self.head(hidden, sight.real))
