"""Tokens whose mask is nothing at all: its vector is zero, and all others are scaled to make up for it (ESM).

Rives et al. 2021's code, `token_dropout`: hiding tokens is treated as dropout of whole vectors. While it was trained
15 % of the tokens were hidden, 80 % of those behind the mask, so a row of which a share `m` is masked is scaled by
(1 - 0.15 * 0.8) / (1 - m); a row without any mask by 0.88. Padding does not count.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hornbook.model.blank import Embedding
from hornbook.model.mask import Sight
from hornbook.model.norm import Norm
from hornbook.model.position import PositionBase

MASKED = 0.15 * 0.8  # share of the tokens behind the mask while ESM was trained


@dataclass(frozen=True, kw_only=True)
class BlankedTokens:
    """One learned vector per token id, none for the mask."""

    vocab: int  # number of ids
    mask: int  # the mask's id
    norm: Norm | None = None  # right after the embedding (ESM-1b)

    def __post_init__(self) -> None:
        if not 0 <= self.mask < self.vocab:
            raise ValueError(f"mask: {self.mask} is none of the {self.vocab} ids; give the id of the tokenizer's mask")

    def build(self, dim: int) -> "BlankedEmbedding":
        return BlankedEmbedding(dim, self)


class BlankedEmbedding(nn.Module):
    def __init__(self, dim: int, config: BlankedTokens) -> None:
        super().__init__()
        self.mask = config.mask
        self.table = Embedding(config.vocab, dim)
        self.norm = config.norm.build(dim) if config.norm else nn.Identity()

    def forward(
        self, ids: Int[Tensor, "batch time"], position: PositionBase, positions: Int[Tensor, "rows time"], sight: Sight
    ) -> Float[Tensor, "batch time dim"]:
        masked = ids == self.mask
        scale = (1 - MASKED) / (1 - _share(masked, sight))
        x = self.table(ids) * torch.where(masked, 0, scale)[:, :, None]
        embedded: Tensor = self.norm(position.add(x, positions))
        return embedded


def _share(masked: Bool[Tensor, "batch time"], sight: Sight) -> Float[Tensor, "batch #time"]:
    """The share of each row (of a packed row: of the token's document) that is masked; padding does not count."""
    real = torch.ones_like(masked) if sight.real is None else sight.real
    hidden, real = (masked & real).float(), real.float()
    if sight.documents is None:
        return hidden.sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp(min=1)
    same = (sight.documents[:, :, None] == sight.documents[:, None, :]).float()  # (batch, time, time)
    total = torch.einsum("bij,bj->bi", same, real).clamp(min=1)
    return torch.einsum("bij,bj->bi", same, hidden) / total
