"""Rotary positions (RoPE, Su et al. 2021): each pair of query and key channels is turned by an angle.

The angle grows with the position, so that a score depends on the distance only. Only a `share` of the channels may turn
while the others see no positions (GPT-NeoX, Phi). For texts longer than the training's see scaling.py.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hornbook.model.position import Place, PositionBase
from hornbook.model.scaling import Scaling, ScalingBase


@dataclass(frozen=True, kw_only=True)
class Rope:
    """Rotary positions; channel i is paired with channel i + (turning channels) / 2, as in Hugging Face models."""

    base: float = 10_000.0  # Su et al., section 3.2.2; larger for long contexts
    share: float = 1.0  # of each head's channels that turn, the first ones
    scaling: Scaling | None = None

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share: {self.share} is no share of the channels; give more than 0 and at most 1")

    def build(self, place: Place) -> PositionBase:
        width = self.width(place.head_dim)
        if width == 0 or width + width % 2 > place.head_dim:
            raise ValueError(f"head_dim: {width} of {place.head_dim} channels turn, in pairs; make it an even number")
        return RopePosition(width, self)

    def width(self, head_dim: int) -> int:
        """How many channels of a head turn; of an odd number the last takes one more along, as GPT-NeoX's code does."""
        return int(head_dim * self.share)

    def rates(self, width: int) -> Float[Tensor, " half"]:
        """Radians per position of each pair of `width` channels."""
        pairs = torch.arange(0, width, 2, device="cpu", dtype=torch.float32)
        rates = 1.0 / self.base ** (pairs / width)
        return self.scaling.scale(rates, self.base) if self.scaling else rates


class RopePosition(PositionBase):
    def __init__(self, width: int, config: Rope) -> None:
        super().__init__()
        self.scaling = config.scaling or ScalingBase()
        with torch.device("cpu"):  # a plain attribute, not a buffer: in bf16 the angles of far positions are ruined
            self.rates = config.rates(width)
        self.width = 2 * len(self.rates)

    def prepare(self, positions: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines, each (rows, time, 1, width); the sines of the first half negated."""
        places = positions[:, :, None, None].float()
        rates = self.scaling.stretch(self.rates.to(positions.device), places.amax(1, keepdim=True) + 1)
        angles, loud = places * rates, self.scaling.attention()
        cos, sin = angles.cos() * loud, angles.sin() * loud
        return torch.cat([cos, cos], -1).to(like.dtype), torch.cat([-sin, sin], -1).to(like.dtype)

    def rotate(self, heads: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """(a, b) -> (a cos - b sin, b cos + a sin), where rolling by half puts b beneath a and a beneath b."""
        if self.width < heads.shape[-1]:
            turning, still = heads[..., : self.width], heads[..., self.width :]
            return torch.cat([_turn(turning, turns), still], -1)
        return _turn(heads, turns)


def _turn(heads: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = turns
    return torch.addcmul(heads * cos, heads.roll(heads.shape[-1] // 2, dims=-1), sin)
