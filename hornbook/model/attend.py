"""The product at the heart of attention: softmax(q k^T * scale) v (Vaswani et al. 2017, section 3.2.1).

PyTorch's fused kernel does it without writing the scores down (FlashAttention, Dao et al. 2022). Where nothing but the
causal order hides anything it is told so, takes no mask and skips half the work; on a CPU our own (causal.py) is faster
still. A soft cap on the scores (Gemma 2,
section 2) is more than the kernel knows and takes the plain way. A module of its own, so that whoever wants to see the
weights can hook in: `weights` computes them from what `forward` was given.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from hornbook.model import causal as kernel


class Attend(nn.Module):
    """Weigh values by how well their keys answer the queries; one head of keys may serve several of queries."""

    def __init__(self, scale: float | None, soft_cap: float | None, dropout: float) -> None:
        super().__init__()
        self.scale, self.soft_cap, self.dropout = scale, soft_cap, dropout

    def forward(
        self,
        q: Float[Tensor, "batch heads time head_dim"],
        k: Float[Tensor, "batch kv_heads keys head_dim"],
        v: Float[Tensor, "batch kv_heads keys value_dim"],
        mask: Tensor | None,
        *,
        causal: bool = False,
    ) -> Float[Tensor, "batch heads time value_dim"]:
        """mask: True where a query may look, or numbers to add; None: everywhere, with `causal` not ahead."""
        dropout = self.dropout if self.training else 0.0
        if self.soft_cap is not None:
            weights = F.dropout(self.weights(q, k, mask, causal=causal), dropout)
            return weights @ each_head(v, q.shape[1])
        if mask is None and causal and not dropout and kernel.fits(q, k, v):
            return kernel.attention(q, k, v, 1 / math.sqrt(q.shape[3]) if self.scale is None else self.scale)
        if mask is not None or q.shape[2] == 1:  # an if, so that torch.compile sees a bool where it varies the length
            causal = False
        return F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask=mask,
            is_causal=causal,
            dropout_p=dropout,
            scale=self.scale,
            enable_gqa=q.shape[1] != k.shape[1],
        )

    def weights(
        self,
        q: Float[Tensor, "batch heads time head_dim"],
        k: Float[Tensor, "batch kv_heads keys head_dim"],
        mask: Tensor | None,
        *,
        causal: bool = False,
    ) -> Float[Tensor, "batch heads time keys"]:
        """How much of each value a query takes; every row sums to 1."""
        return shares(self.scores(q, k), mask, causal=causal)

    def scores(self, q: Tensor, k: Tensor) -> Float[Tensor, "batch heads time keys"]:
        """How well each key answers each query."""
        scale = 1 / math.sqrt(q.shape[-1]) if self.scale is None else self.scale
        scores = self.products(q, k) * scale
        return scores if self.soft_cap is None else self.soft_cap * torch.tanh(scores / self.soft_cap)

    def products(self, q: Tensor, k: Tensor) -> Float[Tensor, "batch heads time keys"]:
        """The scores before they are scaled."""
        return q @ each_head(k, q.shape[1]).transpose(-2, -1)

    def extra_flops(self, heads: int) -> int:  # noqa: ARG002 -- for those that have matrices of their own
        """Operations per token beside two per weight, scores and weighted sum."""
        return 0


def shares(
    scores: Float[Tensor, "batch heads time keys"], mask: Tensor | None, *, causal: bool
) -> Float[Tensor, "rows heads time keys"]:
    """Softmax over what may be looked at."""
    if mask is None and causal and scores.shape[-2] > 1:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1)


def each_document(
    attend: Attend, heads: tuple[Tensor, Tensor, Tensor], spans: list[tuple[int, int, int]], *, causal: bool
) -> Float[Tensor, "batch heads time value_dim"]:
    """Attention inside each document of packed rows; `spans` (row, first, end) cover the rows, in order."""
    batch, time = heads[0].shape[0], heads[0].shape[2]
    alone = [attend(*(x[row : row + 1, :, a:b] for x in heads), None, causal=causal) for row, a, b in spans]
    together = torch.cat(alone, 2)[0]  # (heads, batch * time, value_dim)
    return together.view(together.shape[0], batch, time, -1).transpose(0, 1)


def each_head(x: Float[Tensor, "batch kv_heads keys width"], heads: int) -> Float[Tensor, "batch heads keys width"]:
    """The same keys or values for every head of a group."""
    return x if x.shape[1] == heads else x.repeat_interleave(heads // x.shape[1], 1)
