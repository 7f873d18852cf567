"""From token ids to the stream, and from the stream to a score for every token of the vocabulary.

The two tables may be one (`tied`, Press and Wolf 2017). The soft cap holds logits in (-cap, cap) (Gemma 2).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.model.blank import Embedding, Linear
from hornbook.model.norm import Norm
from hornbook.model.position import PositionBase


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """One learned vector per token id."""

    vocab: int  # number of ids
    norm: Norm | None = None  # right after the embedding (BLOOM; the speed recipes)
    dropout: float = 0.0  # share of the embedded channels dropped while training

    def __post_init__(self) -> None:
        if self.vocab < 1:
            raise ValueError(f"vocab: {self.vocab} leaves no token; give the number of ids of the tokenizer")

    def build(self, dim: int) -> "TokenEmbedding":
        return TokenEmbedding(dim, self)


class TokenEmbedding(nn.Module):
    def __init__(self, dim: int, config: Tokens) -> None:
        super().__init__()
        self.table = Embedding(config.vocab, dim)
        self.norm = config.norm.build(dim) if config.norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, ids: Int[Tensor, "batch time"], position: PositionBase, positions: Int[Tensor, "rows time"]
    ) -> Float[Tensor, "batch time dim"]:
        x: Tensor = self.dropout(self.norm(position.add(self.table(ids), positions)))
        return x


class Head(Linear):
    """hidden -> logits"""

    def __init__(self, dim: int, vocab: int, soft_cap: float | None) -> None:
        super().__init__(dim, vocab, bias=False)
        self.soft_cap = soft_cap

    def forward(self, hidden: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows vocab"]:
        logits = super().forward(hidden)
        return logits if self.soft_cap is None else self.soft_cap * torch.tanh(logits / self.soft_cap)
