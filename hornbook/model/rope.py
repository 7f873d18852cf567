"""Rotary positions (RoPE, Su et al. 2021): each pair of query and key channels is turned by an angle.

The angle grows with the position, so that a score depends on the distance only. A scaling changes the rates to read
longer texts than the model was trained on: `LinearScaling` (Chen et al. 2023), `Llama3Scaling` (Llama 3.1's code).
Not here: partial rotation, YaRN, dynamic scaling.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hornbook.model.position import Place, PositionBase


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

    def build(self, place: Place) -> PositionBase:
        if place.head_dim % 2:
            raise ValueError(f"head_dim: {place.head_dim} is odd and rope turns pairs of channels; make it even")
        return RopePosition(place.head_dim, self)

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
