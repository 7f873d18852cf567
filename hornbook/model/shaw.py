"""Relative positions of Shaw et al. (2018): a learned vector for every distance, added to keys and to values.

    score(i, j)  = query_i . (key_j + a_key[j - i]) * scale            (section 3.2, equation 4)
    answer(i)    = sum over j of weight(i, j) (value_j + a_value[j - i])   (equation 3)

Distances beyond `distance` share the vector of the last, so any length can be read. The vectors belong to one sublayer
and serve all of its heads. A score depends on the query, so this is no bias that could be computed once: the attention
itself does it. All queries are multiplied by all 2 * distance + 1 vectors and each score picks its own, which takes no
memory of (time, time, head_dim) (section 3.3 goes another way to the same end).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.model.attend import Attend, each_head
from hornbook.model.blank import Embedding


@dataclass(frozen=True, kw_only=True)
class Shaw:
    """A learned vector per distance."""

    distance: int = 16  # tokens; those farther away count as this far (section 4.1)
    values: bool = True  # vectors for the values too; without them the paper loses nothing (table 3)

    def __post_init__(self) -> None:
        if self.distance < 1:
            raise ValueError(f"distance: {self.distance} tells no neighbours apart; give at least 1")


class ShawAttend(Attend):
    """Attention that knows distances."""

    def __init__(self, plain: Attend, head_dim: int, config: Shaw) -> None:
        super().__init__(plain.scale, plain.soft_cap, plain.dropout)
        self.distance = config.distance
        self.keys = Embedding(2 * config.distance + 1, head_dim)
        self.values = Embedding(2 * config.distance + 1, head_dim) if config.values else None

    def forward(
        self,
        q: Float[Tensor, "batch heads time head_dim"],
        k: Float[Tensor, "batch kv_heads keys head_dim"],
        v: Float[Tensor, "batch kv_heads keys value_dim"],
        mask: Tensor | None,
        *,
        causal: bool = False,
    ) -> Float[Tensor, "batch heads time value_dim"]:
        weights = self.weights(q, k, mask, causal=causal)
        weights = F.dropout(weights, self.dropout if self.training else 0.0)
        answer = weights @ each_head(v, q.shape[1])
        if self.values is None:
            return answer
        kinds = self._kinds(weights)
        per_kind = weights.new_zeros(*weights.shape[:-1], self.values.num_embeddings).scatter_add(-1, kinds, weights)
        return answer + per_kind @ self.values.weight

    def products(self, q: Tensor, k: Tensor) -> Float[Tensor, "batch heads time keys"]:
        products = super().products(q, k)
        return products + (q @ self.keys.weight.T).gather(-1, self._kinds(products))

    def extra_flops(self, heads: int) -> int:
        """Every head multiplies with the tables, which count as one matrix each elsewhere."""
        tables = [self.keys] if self.values is None else [self.keys, self.values]
        return 2 * (heads - 1) * sum(table.weight.numel() for table in tables)

    def _kinds(self, scores: Float[Tensor, "batch heads time keys"]) -> Int[Tensor, "batch heads time keys"]:
        """The row of the tables that each pair of places takes; the queries are the last of the keys."""
        time, keys = scores.shape[-2:]
        place = torch.arange(keys, device=scores.device)
        gap = place[None, :] - place[keys - time :, None]
        return (gap.clamp(-self.distance, self.distance) + self.distance).expand_as(scores)
