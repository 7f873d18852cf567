"""Sinusoidal positions: fixed waves added to the stream, slower from channel to channel (Vaswani et al. 2017, 3.5).

    sines[p, i] = sin(p / 10000^(2i / dim)),  cosines[p, i] = cos(p / 10000^(2i / dim))

All sines stand before all cosines, as in the authors' code and in Marian; the paper's formula lets them take turns,
which is the same up to the order of the channels.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.model.position import Place, PositionBase


@dataclass(frozen=True, kw_only=True)
class Sinusoidal:
    """Waves of lengths from 2 pi to `base` * 2 pi positions."""

    base: float = 10_000.0

    def build(self, place: Place) -> PositionBase:
        return SinusoidalPosition(place.dim, self.base)


class SinusoidalPosition(PositionBase):
    def __init__(self, dim: int, base: float) -> None:
        super().__init__()
        # A plain attribute, not a buffer: casting the model to bf16 would ruin the angles of far positions.
        self.rates = base ** -(torch.arange(0, dim, 2, device="cpu", dtype=torch.float32) / dim)
        self.cosines = dim // 2  # of an odd width, one fewer than sines

    def add(self, x: Float[Tensor, "batch time dim"], positions: Int[Tensor, "rows time"]) -> Tensor:
        angles = positions[:, :, None].float() * self.rates.to(positions.device)
        waves = torch.cat([angles.sin(), angles[..., : self.cosines].cos()], -1)
        return x + waves.to(x.dtype)
