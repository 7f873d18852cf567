"""Where a token is. Three hooks, all no-ops by default: add to the stream, rotate queries and keys, bias the scores.

Learned positions (GPT, Radford et al. 2018) are added once, below the first layer. Rotary positions (RoPE, Su et al.
2021) turn each pair of query and key channels by an angle that grows with the position, so that a score depends on the
distance only. A scaling changes RoPE's rates to read longer texts than it was trained on: `LinearScaling` (Chen et al.
2023), `Llama3Scaling` (Llama 3.1's model code). Not here: partial rotation, YaRN, ALiBi, T5's buckets.
"""
# ruff: noqa: ARG002 -- hooks that do nothing take the arguments of those that do something

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.model.blank import Embedding


class PositionBase(nn.Module):
    """The three hooks, doing nothing."""

    limit: int | None = None  # positions there are; None: any number

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

    def build(self, dim: int, head_dim: int, length: int) -> PositionBase:
        return PositionBase()


@dataclass(frozen=True, kw_only=True)
class Learned:
    """One learned vector per position."""

    offset: int = 0  # rows left free at the table's start (OPT and BART: 2)

    def build(self, dim: int, head_dim: int, length: int) -> PositionBase:
        return LearnedPosition(dim, length, self.offset)


class LearnedPosition(PositionBase):
    def __init__(self, dim: int, length: int, offset: int) -> None:
        super().__init__()
        self.limit, self.offset = length, offset
        self.table = Embedding(length + offset, dim)

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        vectors: Tensor = self.table(positions + self.offset if self.offset else positions)
        return x + vectors


@dataclass(frozen=True, kw_only=True)
class LinearScaling:
    """Position interpolation: every angle is divided by `factor`."""

    factor: float

    def scale(self, rates: Tensor) -> Tensor:
        return rates / self.factor


@dataclass(frozen=True, kw_only=True)
class Llama3Scaling:
    """Slow channels are slowed further, fast ones (which tell neighbours apart) are left, with a ramp between."""

    factor: float = 8.0
    low: float = 1.0  # channels that turn less often than this in `original_length` are divided by `factor`
    high: float = 4.0  # channels that turn more often than this are left alone
    original_length: int = 8192  # context length in pretraining, tokens

    def scale(self, rates: Tensor) -> Tensor:
        turns = self.original_length * rates / (2 * math.pi)
        keep = ((turns - self.low) / (self.high - self.low)).clamp(0, 1)
        return keep * rates + (1 - keep) * rates / self.factor


@dataclass(frozen=True, kw_only=True)
class Rope:
    """Rotary positions; channel i is paired with channel i + head_dim / 2, as in every Hugging Face model."""

    base: float = 10_000.0  # Su et al., section 3.2.2; larger for long contexts
    scaling: LinearScaling | Llama3Scaling | None = None

    def build(self, dim: int, head_dim: int, length: int) -> PositionBase:
        if head_dim % 2:
            raise ValueError(f"head_dim: {head_dim} is odd and rope turns pairs of channels; make it even")
        return RopePosition(head_dim, self)

    def rates(self, head_dim: int) -> Float[Tensor, " half"]:
        """Radians per position of each pair of channels."""
        pairs = torch.arange(0, head_dim, 2, device="cpu", dtype=torch.float32)
        rates = 1.0 / self.base ** (pairs / head_dim)
        return self.scaling.scale(rates) if self.scaling else rates


class RopePosition(PositionBase):
    def __init__(self, head_dim: int, config: Rope) -> None:
        super().__init__()
        # A plain attribute, not a buffer: casting the model to bf16 would ruin the angles of far positions.
        self.rates = config.rates(head_dim)

    def prepare(self, positions: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines, each (rows, time, 1, head_dim); the sines of the first half negated."""
        angles = positions[:, :, None, None].float() * self.rates.to(positions.device)
        cos, sin = angles.cos(), angles.sin()
        return torch.cat([cos, cos], -1).to(like.dtype), torch.cat([-sin, sin], -1).to(like.dtype)

    def rotate(self, heads: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """(a, b) -> (a cos - b sin, b cos + a sin), where rolling by half puts b beneath a and a beneath b."""
        cos, sin = turns
        return torch.addcmul(heads * cos, heads.roll(heads.shape[-1] // 2, dims=-1), sin)


Position = Absent | Learned | Rope
