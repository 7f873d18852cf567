"""The attention of He and Hofmann's simplified block (2023): no values, no projection, and no residual around it.

    shaped = alpha I + beta softmax(query key^T / sqrt(head_dim)) - gamma C        (equation 13, per head)
    answer = shaped x, each head on its own channels of x                          (equation 12)

C is what the softmax says when all scores are 0: the mean of what a token sees. Queries begin at 0, all three factors
at 1, so that the sublayer first hands x through; what a residual connection is for is inside. With the MLP beside it
(parallel.py, `gains`) and `placement: none` this is their SAS-P block. Left out: the value matrix that they keep in the
first layer for a "very minor" gain (footnote 6).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.model.attend import Attend, shares
from hornbook.model.attention import KeyValues, check_heads, head_width
from hornbook.model.blank import Linear, OwnNumbers
from hornbook.model.op import Context, Op


@dataclass(frozen=True, kw_only=True)
class ShapedAttention:
    """Attention that starts as the identity; causal."""

    heads: int

    def __post_init__(self) -> None:
        check_heads(self.heads, None, None)

    def build(self, dim: int) -> "ShapedSelfAttention":
        return ShapedSelfAttention(dim, self)


class ShapedSelfAttention(Op, OwnNumbers):
    def __init__(self, dim: int, config: ShapedAttention) -> None:
        super().__init__()
        self.heads, self.head_dim = config.heads, head_width(dim, config.heads, None)
        self.query = Linear(dim, dim, bias=False)
        self.key = Linear(dim, dim, bias=False)
        self.attend = ShapedAttend(config.heads)

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- nothing is drawn
        """Queries that ask nothing; factors of 1 (section 4.1)."""
        self.query.weight.zero_()
        for factor in self.attend.parameters():
            factor.fill_(1)

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: KeyValues | None = None
    ) -> Float[Tensor, "batch time dim"]:
        q, k, v = (each.unflatten(-1, (self.heads, self.head_dim)) for each in (self.query(x), self.key(x), x))
        q, k, v = (each.transpose(1, 2) for each in (context.rotate(q), context.rotate(k), v))
        if state is not None:
            k, v = state.append(k, v, context.sight.start)
        answer: Tensor = self.attend(q, k, v, context.mask(causal=True, window=None), causal=True)
        return answer.transpose(1, 2).flatten(2)

    def new_state(self, batch: int, capacity: int) -> KeyValues:
        """Room for the keys of `capacity` tokens, and for the tokens themselves."""
        room = self.key.weight.new_zeros(2, batch, self.heads, capacity, self.head_dim)
        return KeyValues(room[0], room[1])

    def flops(self, length: int) -> int:
        """Adds the scores and the weighted sum."""
        return super().flops(length) + 2 * 2 * self.heads * self.head_dim * length

    def cache_elements(self) -> int:
        return 2 * self.heads * self.head_dim


class ShapedAttend(Attend):
    """Weights of attention around the identity; a row sums to alpha + beta - gamma."""

    def __init__(self, heads: int) -> None:
        super().__init__(None, None, 0.0)
        self.alpha = nn.Parameter(torch.empty(heads))
        self.beta = nn.Parameter(torch.empty(heads))
        self.gamma = nn.Parameter(torch.empty(heads))

    def forward(
        self,
        q: Float[Tensor, "batch heads time head_dim"],
        k: Float[Tensor, "batch heads keys head_dim"],
        v: Float[Tensor, "batch heads keys head_dim"],
        mask: Tensor | None,
        *,
        causal: bool = False,
    ) -> Float[Tensor, "batch heads time head_dim"]:
        return self.weights(q, k, mask, causal=causal) @ v

    def weights(self, q: Tensor, k: Tensor, mask: Tensor | None, *, causal: bool = False) -> Tensor:
        scores = self.scores(q, k)
        time, keys = scores.shape[-2:]
        itself = torch.ones(time, keys, dtype=q.dtype, device=q.device).tril(keys - time).triu(keys - time)
        asked = shares(scores, mask, causal=causal)
        idle = shares(torch.zeros_like(scores[:1, :1]), mask, causal=causal)
        alpha, beta, gamma = (factor[:, None, None] for factor in (self.alpha, self.beta, self.gamma))
        return alpha * itself + beta * asked - gamma * idle
