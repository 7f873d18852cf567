"""From token ids to the stream: a vector per token, its position, its segment; BERT's and the Transformer's variations.

The embedding table may also be the head's matrix (Press and Wolf 2017; head.py).
"""

import math
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
    width: int | None = None  # channels of the table where not the model's; a matrix then widens them (ALBERT)
    scaled: bool = False  # vectors times sqrt(dim) (Vaswani et al. 2017, section 3.4)
    segments: int = 0  # learned vectors for the parts of a row: sentence A and B (BERT); 0: none
    norm: Norm | None = None  # right after the embedding (BERT, BLOOM; the speed recipes)
    dropout: float = 0.0  # share of the embedded channels dropped while training

    def __post_init__(self) -> None:
        if self.vocab < 1:
            raise ValueError(f"vocab: {self.vocab} leaves no token; give the number of ids of the tokenizer")
        if self.width is not None and self.width < 1:
            raise ValueError(f"width: {self.width} channels hold nothing; give at least 1")
        if self.segments < 0:
            raise ValueError(f"segments: {self.segments} is below 0; 0 has none, BERT has 2")

    def build(self, dim: int) -> "TokenEmbedding":
        return TokenEmbedding(dim, self)


class TokenEmbedding(nn.Module):
    def __init__(self, dim: int, config: Tokens) -> None:
        super().__init__()
        width = config.width or dim
        self.table = Embedding(config.vocab, width)
        self.scale = math.sqrt(dim) if config.scaled else None
        self.segments = Embedding(config.segments, width) if config.segments else None
        self.norm = config.norm.build(width) if config.norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        self.widen = Linear(width, dim, bias=True) if config.width else nn.Identity()

    def forward(
        self,
        ids: Int[Tensor, "batch time"],
        position: PositionBase,
        positions: Int[Tensor, "rows time"],
        segments: Int[Tensor, "batch time"] | None = None,
    ) -> Float[Tensor, "batch time dim"]:
        """segments: which part of its row each token belongs to; None: all to the first."""
        x = self.table(ids)
        if self.scale is not None:
            x = x * x.new_tensor(self.scale)  # in the numbers of the table, as Gemma was trained
        if self.segments is not None:
            x = x + self.segments(torch.zeros_like(ids) if segments is None else segments)
        embedded: Tensor = self.widen(self.dropout(self.norm(position.add(x, positions))))
        return embedded
