"""Cross-attention: the tokens of one sequence ask, those of another answer (Vaswani et al. 2017, section 3.2.3).

The other sequence is `context.memory`, what an encoder said of the source. Its keys and values do not change while a
text is written, so they are computed once and kept in the state.
"""
# ruff: noqa: ARG002 -- the state of what never grows needs no sizes

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from hornbook.model.attend import Attend
from hornbook.model.attention import check_heads, head_width
from hornbook.model.blank import Linear
from hornbook.model.cut import Cut, divides
from hornbook.model.op import Context, Grows, Op


@dataclass(frozen=True, kw_only=True)
class CrossAttention:
    """Attention of a sequence over the memory."""

    heads: int
    head_dim: int | None = None  # channels per head; None: dim / heads
    bias: bool = False  # of query, key and value
    output_bias: bool = False
    scale: float | None = None  # factor on the scores; None: 1 / sqrt(head_dim)
    dropout: float = 0.0  # share of attention weights dropped while training

    def __post_init__(self) -> None:
        check_heads(self.heads, None, self.head_dim)

    def build(self, dim: int) -> "CrossAttentionOp":
        return CrossAttentionOp(dim, self)


class CrossAttentionOp(Op):
    plan: ClassVar[Mapping[str, Cut]] = {"query": "columns", "key": "columns", "value": "columns", "output": "rows"}

    def __init__(self, dim: int, config: CrossAttention) -> None:
        super().__init__()
        self.heads, self.head_dim = config.heads, head_width(dim, config.heads, config.head_dim)
        self.query = Linear(dim, self.heads * self.head_dim, bias=config.bias)
        self.key = Linear(dim, self.heads * self.head_dim, bias=config.bias)
        self.value = Linear(dim, self.heads * self.head_dim, bias=config.bias)
        self.output = Linear(self.heads * self.head_dim, dim, bias=config.output_bias)
        self.attend = Attend(config.scale, None, config.dropout)

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: "MemoryKeyValues | None" = None
    ) -> Float[Tensor, "batch time dim"]:
        q = self.query(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # (batch, heads, time, head_dim)
        k, v = self._remembered(context, state)
        mask = None if context.memory_real is None else context.memory_real[:, None, None, :]
        mixed: Tensor = self.output(self.attend(q, k, v, mask).transpose(1, 2).flatten(2))
        return mixed

    def cut(self, ranks: int) -> None:
        """Heads are shared."""
        divides(ranks, heads=self.heads)

    def _remembered(self, context: Context, state: "MemoryKeyValues | None") -> tuple[Tensor, Tensor]:
        """Keys and values of the memory, (batch, heads, places, head_dim)."""
        if state is not None and state.found is not None:
            return state.found
        assert context.memory is not None, "cross-attention needs a memory: it belongs into an encoder_decoder"
        k = self.key(context.memory).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
        v = self.value(context.memory).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
        if state is not None:
            state.found = k, v
        return k, v

    def new_state(self, batch: int, capacity: int) -> "MemoryKeyValues":
        """Empty until the memory has been seen."""
        return MemoryKeyValues()

    def flops(self, length: int) -> int:
        """Adds scores and weighted sum over a memory that is as long as the text."""
        return super().flops(length) + 2 * 2 * self.heads * self.head_dim * length

    def cache_elements(self) -> int:
        return 2 * self.heads * self.head_dim


@dataclass
class MemoryKeyValues:
    """The keys and values of the memory, once they have been computed."""

    found: tuple[Tensor, Tensor] | None = field(default=None, metadata={"grows": Grows("source", 2)})
