"""An encoder reads a source, a decoder writes what belongs to it (the Transformer of 2017, BART, T5, RNNsearch).

The encoder's last vectors are the memory that the decoder's cross-attention looks at.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from hornbook.model.balance import Routed, balance
from hornbook.model.embed import Tokens
from hornbook.model.head import Language
from hornbook.model.init import Init, Normal
from hornbook.model.op import Context, State
from hornbook.model.shape import ModelBase, ModelOutput, check_sizes, fill, look, positions_of, real_or_none
from hornbook.model.stack import Stack


@dataclass(frozen=True, kw_only=True)
class EncoderDecoder:
    """A source and the beginning of a target in, a score for every possible next token of the target out."""

    dim: int  # channels of both streams
    length: int  # longest source, and longest target, tokens
    source: Tokens
    target: Tokens | None = None  # None: as the source, with the same table
    encoder: Stack
    decoder: Stack
    head: Language = field(default_factory=Language)
    init: Init = field(default_factory=Normal)

    def __post_init__(self) -> None:
        check_sizes(self.dim, self.length)
        with torch.device("meta"):
            EncoderDecoderModel(self)  # what does not fit together is said while the recipe is read

    @property
    def vocab(self) -> int:
        """Number of token ids of what it writes."""
        return (self.target or self.source).vocab

    def build(self, generator: torch.Generator | None = None) -> "EncoderDecoderModel":
        """A model with fresh weights drawn from `generator` (seed 0 without one), on the default device."""
        model = EncoderDecoderModel(self)
        fill(model, self.init, generator)
        return model


class EncoderDecoderModel(ModelBase):
    """An encoder and a decoder with their weights."""

    config: EncoderDecoder

    def __init__(self, config: EncoderDecoder) -> None:
        super().__init__(config)
        target = config.target or config.source
        self.source = config.source.build(config.dim)
        self.target = target.build(config.dim)
        self.encoder = config.encoder.build(config.dim, config.length, config.source.width)
        self.decoder = config.decoder.build(config.dim, config.length, target.width)
        self.head = config.head.build(config.dim, target.vocab)
        self.tie()

    def shared(self) -> dict[str, str]:
        """Without a target of its own, source and target have one table; a tied head is the target's."""
        table = "target.table.weight" if self.config.target else "source.table.weight"
        shared = {} if self.config.target else {"target.table.weight": table}
        return shared | ({"head.weight": table} if self.config.head.tied else {})

    def new_state(self, batch: int, capacity: int) -> State:
        """Memory to decode up to `capacity` tokens in each of `batch` rows; the source comes with the first pass."""
        return self.decoder.new_state(batch, capacity)

    def encode(
        self,
        input_ids: Int[Tensor, "batch places"],
        attention_mask: Shaped[Tensor, "batch places"] | None = None,
        routed: list[Routed] | None = None,
    ) -> Float[Tensor, "batch places dim"]:
        """What the encoder says of the source; `routed` is told where its experts sent the tokens."""
        position = self.encoder.position
        sight = look(input_ids.shape[1], attention_mask)
        positions = positions_of(sight, input_ids.device, position.limit)
        x = self.source(input_ids, position, positions)
        context = Context(position, positions, sight, x, self.encoder.ways, routed=[] if routed is None else routed)
        memory: Tensor = self.encoder(x, context)
        return memory

    def forward(
        self,
        input_ids: Int[Tensor, "batch places"] | None = None,
        *,
        decoder_input_ids: Int[Tensor, "batch time"],
        attention_mask: Shaped[Tensor, "batch places"] | None = None,
        decoder_attention_mask: Shaped[Tensor, "batch keys"] | None = None,
        state: State | None = None,
        logits: bool = True,
    ) -> ModelOutput:
        """Read the source `input_ids`, then the target so far, and score the target's next token at every place.

        attention_mask: 0 where an id of the source is padding; decoder_attention_mask: the same of the target.
        state: remembers source and target; once it has seen a source, `input_ids` is left out.
        logits: False returns only `hidden`, for a loss that calls `model.head` on parts of it.
        """
        routed: list[Routed] = []
        memory, real = self._memory(input_ids, attention_mask, state, routed)
        position, time = self.decoder.position, decoder_input_ids.shape[1]
        sight = look(time, decoder_attention_mask, state=state)
        positions = positions_of(sight, decoder_input_ids.device, position.limit)
        x = self.target(decoder_input_ids, position, positions)
        context = Context(position, positions, sight, x, self.decoder.ways, memory, real, routed=routed)
        hidden = self.decoder(x, context, state)
        if state is not None:
            state.length += time
        return ModelOutput(hidden, self.head(hidden) if logits else None, balance=balance(routed))

    def _memory(
        self, ids: Tensor | None, attention_mask: Tensor | None, state: State | None, routed: list[Routed]
    ) -> tuple[Tensor, Tensor | None]:
        if ids is None:
            if state is None or state.memory is None:
                raise ValueError("input_ids: no source; give one, or a state that has seen one")
            return state.memory, state.memory_real
        memory, real = self.encode(ids, attention_mask, routed), real_or_none(attention_mask)
        if state is not None:
            state.memory, state.memory_real = memory, real
        return memory, real
