"""One vector for a whole row: of its first token, its last, or the mean of all; and what BERT asks of it.

BERT, RoBERTa and ViT put a token in front that means nothing and read the row off its vector (Devlin et al. 2019,
section 3); sentence embeddings take the mean (Reimers and Gurevych 2019, section 3), decoders the last token, the only
one that has seen everything. First and last are those of what is no padding, on whichever side that is. Of packed rows
there is a vector for each document.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypedDict

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hornbook.model.blank import Linear

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}
Take = Literal["first", "last", "mean"]
Real = Bool[Tensor, "batch time"] | None
Documents = Int[Tensor, "batch time"] | None


class Rows(TypedDict, total=False):
    """What a head says of whole rows, by the names of `ModelOutput`."""

    scores: Tensor
    pooled: Tensor
    seq_relationship_logits: Tensor


def take(hidden: Float[Tensor, "batch time dim"], real: Real, way: Take) -> Float[Tensor, "batch dim"]:
    """One vector a row; `real` None: no padding anywhere."""
    if way == "mean":
        if real is None:
            return hidden.mean(1)
        weights = real.to(hidden.dtype)[:, :, None]
        return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
    if real is None:
        return hidden[:, 0 if way == "first" else -1]
    places = torch.arange(real.shape[1], device=real.device)
    place = real.int().argmax(1) if way == "first" else (real * places).argmax(1)
    return hidden[torch.arange(len(hidden), device=hidden.device), place]


def take_each(
    hidden: Float[Tensor, "batch time dim"], real: Real, documents: Int[Tensor, "batch time"], way: Take
) -> Float[Tensor, "documents dim"]:
    """One vector a document of packed rows: row by row, in each from left to right; padding belongs to none."""
    real = torch.ones_like(documents, dtype=torch.bool) if real is None else real
    new = torch.ones_like(real)
    new[:, 1:] = documents[:, 1:] != documents[:, :-1]
    number, vectors = new.flatten().cumsum(0)[real.flatten()], hidden[real]
    _, number, sizes = torch.unique_consecutive(number, return_inverse=True, return_counts=True)
    if way == "mean":
        total = torch.zeros(len(sizes), hidden.shape[-1], dtype=hidden.dtype, device=hidden.device)
        mean: Tensor = total.index_add(0, number, vectors) / sizes[:, None]
        return mean
    ends: Tensor = sizes.cumsum(0)
    chosen: Tensor = vectors[ends - sizes if way == "first" else ends - 1]
    return chosen


@dataclass(frozen=True, kw_only=True)
class Pooling:
    """Take one vector a row, and let a matrix with an activation change it."""

    take: Take = "first"
    activation: Literal["tanh", "relu"] | None = "tanh"  # None: the vector as it is, without a matrix (ViT)
    dropout: float = 0.0  # share of the vector dropped before the matrix while training (RoBERTa)

    def build(self, dim: int) -> "Pooler":
        return Pooler(dim, self)


class Pooler(nn.Module):
    """(batch, time, dim) -> (batch, dim), or (documents, dim) of packed rows"""

    def __init__(self, dim: int, config: Pooling) -> None:
        super().__init__()
        self.take = config.take
        self.dropout = nn.Dropout(config.dropout)
        self.dense = Linear(dim, dim) if config.activation else nn.Identity()
        self.activation = ACTIVATIONS[config.activation] if config.activation else nn.Identity()

    def forward(
        self, hidden: Float[Tensor, "batch time dim"], real: Real = None, documents: Documents = None
    ) -> Float[Tensor, "rows dim"]:
        way = self.take
        vectors = take(hidden, real, way) if documents is None else take_each(hidden, real, documents, way)
        pooled: Tensor = self.activation(self.dense(self.dropout(vectors)))
        return pooled


class RowHead(nn.Module):
    """A head that reads a row as a whole."""

    def rows(self, hidden: Float[Tensor, "batch time dim"], real: Real = None, documents: Documents = None) -> Rows:
        """All that it says of each row; of packed rows, of each document."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """The vector of each row, and no scores: what a classifier will be trained on top of."""

    pooling: Pooling = field(default_factory=Pooling)

    def build(self, dim: int, vocab: int, width: int) -> "PooledHead":  # noqa: ARG002 -- needs no tokens
        return PooledHead(dim, self)


class PooledHead(RowHead):
    def __init__(self, dim: int, config: Pooled) -> None:
        super().__init__()
        self.pooler = config.pooling.build(dim)

    def forward(self, hidden: Float[Tensor, "batch time dim"], real: Real = None) -> Float[Tensor, "batch dim"]:
        pooled: Tensor = self.pooler(hidden, real)
        return pooled

    def rows(self, hidden: Float[Tensor, "batch time dim"], real: Real = None, documents: Documents = None) -> Rows:
        return {"pooled": self.pooler(hidden, real, documents)}


@dataclass(frozen=True, kw_only=True)
class NextSentence:
    """Two scores a row: its second text follows its first (0), or is from elsewhere (1)."""

    pooling: Pooling = field(default_factory=Pooling)
    dropout: float = 0.0  # share of the pooled vector dropped while training (ALBERT's sentence order)

    def build(self, dim: int, vocab: int = 0, width: int = 0) -> "NextSentenceHead":  # noqa: ARG002 -- no tokens
        return NextSentenceHead(dim, self)


class NextSentenceHead(RowHead):
    def __init__(self, dim: int, config: NextSentence) -> None:
        super().__init__()
        self.pooler = config.pooling.build(dim)
        self.dropout = nn.Dropout(config.dropout)
        self.relation = Linear(dim, 2)

    def forward(self, hidden: Float[Tensor, "batch time dim"], real: Real = None) -> Float[Tensor, "batch 2"]:
        return self.rows(hidden, real)["scores"]

    def rows(self, hidden: Float[Tensor, "batch time dim"], real: Real = None, documents: Documents = None) -> Rows:
        pooled = self.pooler(hidden, real, documents)
        scores = self.relation(self.dropout(pooled))
        return {"scores": scores, "pooled": pooled}
