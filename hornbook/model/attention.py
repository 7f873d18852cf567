"""Multi-head attention: each token asks (query), every earlier token answers (key) with what it has to say (value).

    weights = softmax(query @ key^T / sqrt(head_dim))      over the tokens it may look at
    answer  = weights @ value                              per head; `output` mixes the heads

Vaswani et al. 2017, section 3.2. `kv_heads` shares keys and values between groups of heads (Ainslie et al. 2023; one is
Shazeer's multi-query attention of 2019), `qk_norm` keeps scores from growing (head_norm.py), `window` looks at the
nearest tokens only (Beltagy et al. 2020). docs/model.md climbs to this file step by step; attend.py holds the product,
cross.py attention to another sequence. Three separate projections were measured against one fused product: equal within
5 % on CPU.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from hornbook.model.attend import Attend, each_document
from hornbook.model.blank import Linear
from hornbook.model.cut import Cut, divides
from hornbook.model.head_norm import HeadNorm, NormAcrossHeads
from hornbook.model.head_norm import build as build_norm
from hornbook.model.op import Context, Grows, Op
from hornbook.model.positions import Relative
from hornbook.model.shaw import Shaw, ShawAttend


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Attention of a sequence over itself."""

    heads: int
    kv_heads: int | None = None  # heads of keys and values; None: as many as `heads`
    head_dim: int | None = None  # channels per head; None: dim / heads
    causal: bool = True  # a token sees itself and what came before
    window: int | None = None  # how many tokens a token sees, itself included; None: all
    bias: bool = False  # of query, key and value
    output_bias: bool = False
    qk_norm: HeadNorm | None = None  # of each head's queries and keys, before the positions
    clip: float | None = None  # numbers of queries, keys and values stay in [-clip, clip] (OLMo)
    position: Relative | None = None  # in place of the stack's; `absent` has none
    relative: Shaw | None = None  # learned vectors per distance, beside the positions
    scale: float | None = None  # factor on the scores; None: 1 / sqrt(head_dim)
    soft_cap: float | None = None  # scores stay in (-soft_cap, soft_cap) (Gemma 2)
    dropout: float = 0.0  # share of attention weights dropped while training

    def __post_init__(self) -> None:
        check_heads(self.heads, self.kv_heads, self.head_dim)
        if self.clip is not None and self.clip <= 0:
            raise ValueError(f"clip: {self.clip} leaves nothing; give more than 0, null clips nothing")
        if self.window is not None and self.window < 1:
            raise ValueError(f"window: {self.window} sees nothing; 1 sees the token itself, null sees all")

    def width(self, dim: int) -> int:
        """Channels per head in a stream of `dim` channels."""
        return head_width(dim, self.heads, self.head_dim)

    def build(self, dim: int) -> "SelfAttention":
        return SelfAttention(dim, self)


def check_heads(heads: int, kv_heads: int | None, head_dim: int | None) -> None:
    """Refuse numbers of heads that cannot be."""
    for name, value in {"heads": heads, "kv_heads": kv_heads, "head_dim": head_dim}.items():
        if value is not None and value < 1:
            raise ValueError(f"{name}: {value} is not above 0; give at least 1")
    if heads % (kv_heads or heads):
        raise ValueError(f"kv_heads: {kv_heads} does not divide heads: {heads}; take a divisor of it")


def head_width(dim: int, heads: int, head_dim: int | None) -> int:
    """Channels per head, dim / heads where nothing is said."""
    if head_dim is None and dim % heads:
        raise ValueError(f"heads: {heads} does not divide dim: {dim}; change either, or set head_dim")
    return head_dim or dim // heads


class SelfAttention(Op):
    plan: ClassVar[Mapping[str, Cut]] = {
        "query": "columns",
        "key": "columns",
        "value": "columns",
        "output": "rows",
        "query_norm": "partial",
        "key_norm": "partial",
        "attend": "partial",
    }

    def __init__(self, dim: int, config: Attention) -> None:
        super().__init__()
        self.config = config
        self.heads, self.kv_heads, self.head_dim = config.heads, config.kv_heads or config.heads, config.width(dim)
        self.query = Linear(dim, self.heads * self.head_dim, bias=config.bias)
        self.key = Linear(dim, self.kv_heads * self.head_dim, bias=config.bias)
        self.value = Linear(dim, self.kv_heads * self.head_dim, bias=config.bias)
        self.output = Linear(self.heads * self.head_dim, dim, bias=config.output_bias)
        self.query_norm = build_norm(config.qk_norm, self.head_dim, self.heads)
        self.key_norm = build_norm(config.qk_norm, self.head_dim, self.kv_heads)
        attend = Attend(config.scale, config.soft_cap, config.dropout)
        self.attend = ShawAttend(attend, self.head_dim, config.relative) if config.relative else attend
        self.way = 0  # which of the context's positions is this sublayer's; the stack sets it

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: "KeyValues | None" = None
    ) -> Float[Tensor, "batch time dim"]:
        q, k, v = self._heads(self.query(x)), self._heads(self.key(x)), self._heads(self.value(x))
        q, k = context.rotate(self.query_norm(q), self.way), context.rotate(self.key_norm(k), self.way)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)  # (batch, heads, time, head_dim)
        if state is not None:
            k, v = state.append(k, v, context.sight.start)
        spans = context.spans(window=self.config.window, way=self.way) if isinstance(self.attend, Attend) else None
        if spans is not None:
            answer = each_document(self.attend, (q, k, v), spans, causal=self.config.causal)
        else:
            mask = context.mask(causal=self.config.causal, window=self.config.window, way=self.way)
            answer = self.attend(q, k, v, mask, causal=self.config.causal)
        mixed: Tensor = self.output(answer.transpose(1, 2).flatten(2))  # (batch, time, dim)
        return mixed

    def cut(self, ranks: int) -> None:
        """Heads are shared, and those of keys and values with them."""
        divides(ranks, heads=self.heads, kv_heads=self.kv_heads)
        if isinstance(self.query_norm, NormAcrossHeads):
            raise ValueError("a norm across all heads (qk_norm: across_heads) needs them in one place; set tensor: 1")

    def _heads(self, projected: Tensor) -> Float[Tensor, "batch time some_heads head_dim"]:
        clip, (batch, time, _) = self.config.clip, projected.shape
        clipped = projected if clip is None else projected.clamp(-clip, clip)
        return clipped.view(batch, time, -1, self.head_dim)

    def new_state(self, batch: int, capacity: int) -> "KeyValues":
        """Room for the keys and values of `capacity` tokens."""
        room = self.key.weight.new_zeros(2, batch, self.kv_heads, capacity, self.head_dim)
        return KeyValues(room[0], room[1])

    def flops(self, length: int) -> int:
        """Adds the scores and the weighted sum over what a token sees, counted as if all of it (no causal half)."""
        seen = min(length, self.config.window or length)
        looking = 2 * 2 * self.heads * self.head_dim * seen
        return super().flops(length) + looking + self.attend.extra_flops(self.heads)

    def cache_elements(self) -> int:
        """Of one that looks ahead nothing is remembered: its text is there from the beginning."""
        return 2 * self.kv_heads * self.head_dim if self.config.causal else 0


@dataclass
class KeyValues:
    """The keys and values of everything seen so far, in memory that is taken once and written in place."""

    keys: Float[Tensor, "batch kv_heads capacity head_dim"] = field(metadata={"grows": Grows("columns", 2)})
    values: Float[Tensor, "batch kv_heads capacity head_dim"] = field(metadata={"grows": Grows("columns", 2)})

    def append(self, k: Tensor, v: Tensor, start: int) -> tuple[Tensor, Tensor]:
        """Write new keys and values at index `start` and give back all there are."""
        end = start + k.shape[2]
        self.keys[:, :, start:end] = k
        self.values[:, :, start:end] = v
        return self.keys[:, :, :end], self.values[:, :, :end]
