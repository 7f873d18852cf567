"""An encoder reads a whole row at once, in both directions (BERT, RoBERTa, ESM; ViT, whose tokens are patches)."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from hornbook.model.balance import balance
from hornbook.model.blanked import BlankedTokens
from hornbook.model.contacts import Contacts
from hornbook.model.embed import TokenEmbedding, Tokens
from hornbook.model.head import Language
from hornbook.model.heads import Heads
from hornbook.model.init import Init, Normal
from hornbook.model.mask import Sight
from hornbook.model.masked_head import Masked, Pretraining
from hornbook.model.op import Context
from hornbook.model.patches import PatchEmbedding, Patches
from hornbook.model.pool import RowHead, Rows
from hornbook.model.shape import ModelBase, ModelOutput, check_sizes, fill, look, positions_of
from hornbook.model.stack import Stack
from hornbook.model.watch import Watch


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Tokens or an image in, a vector for each token out, and what the head makes of them."""

    dim: int  # channels of the stream
    length: int  # longest row the model is made for, tokens; of an image its patches and the class token
    embed: Tokens | BlankedTokens | Patches
    stack: Stack
    head: Heads | None = None  # None: the vectors themselves
    contacts: Contacts | None = None  # of proteins: which residues touch (ESM)
    init: Init = field(default_factory=Normal)

    def __post_init__(self) -> None:
        check_sizes(self.dim, self.length)
        if isinstance(self.embed, Patches) and self.length != self.embed.tokens:
            raise ValueError(f"length: {self.length} tokens, the image makes {self.embed.tokens}; set length to that")
        with torch.device("meta"):
            EncoderModel(self)  # what does not fit together is said while the recipe is read

    @property
    def vocab(self) -> int:
        """Number of token ids; 0 where tokens are patches."""
        return 0 if isinstance(self.embed, Patches) else self.embed.vocab

    @property
    def width(self) -> int | None:
        """Channels of the embedding table, where not `dim`."""
        return self.embed.width if isinstance(self.embed, Tokens) else None

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
        head = config.head
        self.embed = config.embed.build(config.dim)
        self.stack = config.stack.build(config.dim, config.length, config.width)
        self.head = head.build(config.dim, config.vocab, config.width or config.dim) if head else None
        self.pair = head.pair.build(config.dim) if isinstance(head, Pretraining) else None
        self.contacts = config.contacts.build(self.stack) if config.contacts else None
        self.tie()

    def shared(self) -> dict[str, str]:
        """A tied head is the embedding."""
        head = self.config.head.masked if isinstance(self.config.head, Pretraining) else self.config.head
        if not isinstance(head, Language | Masked) or not head.tied:
            return {}
        return {f"head.{'words.' if isinstance(head, Masked) else ''}weight": "embed.table.weight"}

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

        attention_mask: 0 where an id is padding (left or right); what is kept is as if it stood alone.
        token_type_ids: the segment of each token (BERT's sentences A and B).
        document_ids: packed rows; a token sees its own document only. A head that reads whole rows reads each document.
        positions: where not given, counted without padding and anew in each document.
        pixel_values: of a model of images, instead of ids.
        logits: False leaves out the scores of tokens, for a loss that calls `model.head` on some of them only.
        """
        position, given = self.stack.position, self._given(input_ids, pixel_values)
        time = self.embed.config.tokens if isinstance(self.embed, PatchEmbedding) else given.shape[1]
        sight = look(time, attention_mask, document_ids)
        if positions is None:
            positions = positions_of(sight, given.device, position.limit)
        if isinstance(self.embed, TokenEmbedding):
            x = self.embed(given, position, positions, token_type_ids)
        else:
            x = self.embed(given, position, positions, sight)
        context = Context(position, positions, sight, x, self.stack.ways)
        output = self._output(self.stack(x, context), sight, logits=logits)
        output.balance = balance(context.routed)
        return output

    def predict_contacts(
        self, input_ids: Int[Tensor, "batch time"], attention_mask: Shaped[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch residues residues"]:
        """The probability that residues touch; the first token and the end are none, what is padding touches nothing.

        Of a model with `contacts`. (batch, time - 2, time - 2): pad on the right.
        """
        assert self.contacts is not None, "this model has no `contacts`"
        with Watch(self.stack) as watch:
            self(input_ids, attention_mask=attention_mask, logits=False)
        residues = input_ids != self.contacts.end
        if attention_mask is not None:
            residues = residues & attention_mask.bool()
        found: Tensor = self.contacts(torch.cat([map.weights for map in watch.maps], 1), residues)
        return found

    def _given(self, ids: Tensor | None, pixels: Tensor | None) -> Tensor:
        """What the model reads."""
        images = isinstance(self.embed, PatchEmbedding)
        given = pixels if images else ids
        if given is None:
            raise ValueError(f"{'pixel_values' if images else 'input_ids'}: none given, and nothing else is read")
        return given

    def _output(self, hidden: Tensor, sight: Sight, *, logits: bool) -> ModelOutput:
        """What the heads say."""
        found: Rows = {}
        if isinstance(self.head, RowHead):
            found = self.head.rows(hidden, sight.real, sight.documents)
        elif self.head is not None and logits:
            found["scores"] = self.head(hidden)
        if self.pair is not None:
            pair = self.pair.rows(hidden, sight.real, sight.documents)
            found["pooled"], found["seq_relationship_logits"] = pair["pooled"], pair["scores"]
        return ModelOutput(hidden, **found)
