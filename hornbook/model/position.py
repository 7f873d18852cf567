"""Where a token is. Three hooks, all no-ops by default: add to the stream, rotate queries and keys, bias the scores.

Learned positions (GPT, Radford et al. 2018) are added once, below the first layer. The other ways have files of their
own (rope.py, ...); positions.py names them all.
"""
# ruff: noqa: ARG002 -- hooks that do nothing take the arguments of those that do something

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.model.blank import Embedding
from hornbook.model.cut import Cut


@dataclass(frozen=True)
class Place:
    """The model around a position: what it needs to know to be built."""

    dim: int  # channels of the vectors that `add` adds to
    heads: int  # attention heads of the stack
    head_dim: int  # channels of each
    length: int  # context length, tokens


class PositionBase(nn.Module):
    """The three hooks, doing nothing."""

    limit: int | None = None  # positions there are; None: any number
    plan: ClassVar[Mapping[str, Cut]] = {}  # how ranks that share heads share it

    def cut(self, rank: int, ranks: int) -> None:
        """Keep what is there of every head for those of one rank."""

    def add(self, x: Float[Tensor, "batch time dim"], positions: Int[Tensor, "rows time"]) -> Tensor:
        """Add to the stream, once, below the first layer."""
        return x

    def prepare(self, positions: Int[Tensor, "rows time"], like: Tensor) -> Any:
        """Compute once per forward pass what `rotate` needs in every layer."""
        return None

    def rotate(self, heads: Float[Tensor, "batch time heads head_dim"], turns: Any) -> Tensor:
        """Turn queries or keys."""
        return heads

    def bias(self, queries: Int[Tensor, " time"], keys: Int[Tensor, " keys"]) -> Tensor | None:
        """Numbers to add to the attention scores, (heads, time, keys), from the places in the row."""
        return None


@dataclass(frozen=True, kw_only=True)
class Absent:
    """No positions: the causal order alone tells places apart (or a recurrent sublayer does)."""

    def build(self, place: Place) -> PositionBase:
        return PositionBase()


@dataclass(frozen=True, kw_only=True)
class Learned:
    """One learned vector per position."""

    offset: int = 0  # rows left free at the table's start (OPT and BART: 2)

    def build(self, place: Place) -> PositionBase:
        return LearnedPosition(place.dim, place.length, self.offset)


class LearnedPosition(PositionBase):
    def __init__(self, dim: int, length: int, offset: int) -> None:
        super().__init__()
        self.limit, self.offset = length, offset
        self.table = Embedding(length + offset, dim)

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        vectors: Tensor = self.table(positions + self.offset if self.offset else positions)
        return x + vectors
