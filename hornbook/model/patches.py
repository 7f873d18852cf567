"""An image as a row of tokens: cut into square patches, each patch is one token (Dosovitskiy et al. 2021, section 3.1).

A patch's pixels go through one matrix. In front stands a learned token that is no patch; off its vector the class is
read (BERT's trick). Where a patch was is a position like any other, along the rows of the image. Leaves out images of
other sizes than the model was made for, and hybrids that cut up the output of a convolutional network.
"""
# ruff: noqa: ARG002 -- images have no padding and are not packed

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.model.blank import Embedding, Linear
from hornbook.model.mask import Sight
from hornbook.model.position import PositionBase


@dataclass(frozen=True, kw_only=True)
class Patches:
    """Square images of one size."""

    image: int  # side, pixels
    patch: int  # side, pixels
    channels: int = 3  # colours
    dropout: float = 0.0  # share of the embedded channels dropped while training

    def __post_init__(self) -> None:
        for name in ("image", "patch", "channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is not above 0; give at least 1")
        if self.image % self.patch:
            raise ValueError(f"patch: {self.patch} does not divide image: {self.image}; take a divisor of it")

    @property
    def tokens(self) -> int:
        """Patches, and the class token before them."""
        return (self.image // self.patch) ** 2 + 1

    def build(self, dim: int) -> "PatchEmbedding":
        return PatchEmbedding(dim, self)


class PatchEmbedding(nn.Module):
    def __init__(self, dim: int, config: Patches) -> None:
        super().__init__()
        self.config = config
        self.pixels = Linear(config.channels * config.patch**2, dim)
        self.first = Embedding(1, dim)  # the class token
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        pixel_values: Float[Tensor, "batch channels height width"],
        position: PositionBase,
        positions: Int[Tensor, "1 tokens"],
        sight: Sight,
    ) -> Float[Tensor, "batch tokens dim"]:
        side, wanted = self.config.patch, (self.config.channels, self.config.image, self.config.image)
        if tuple(pixel_values.shape[1:]) != wanted:
            raise ValueError(f"pixel_values: {tuple(pixel_values.shape)}, the model's images are (batch, *{wanted})")
        rows, channels, n = len(pixel_values), self.config.channels, self.config.image // side
        cut = pixel_values.reshape(rows, channels, n, side, n, side)  # (batch, channels, row, y, column, x)
        patches = cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # (batch, row * column, channels * y * x)
        x = torch.cat([self.first.weight.expand(len(patches), 1, -1), self.pixels(patches)], 1)
        embedded: Tensor = self.dropout(position.add(x, positions))
        return embedded
