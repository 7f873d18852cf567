"""Norms: bring every vector of the stream to one size before a sublayer reads it.

Layer norm (Ba et al. 2016) takes away the mean and divides by the deviation; RMS norm (Zhang and Sennrich 2019) only
divides by the root mean square, which does as well and costs less. `gain` is the learned factor per channel; the speed
recipes leave it out, since the matrix that follows can learn it. Not here: batch norm, which mixes the rows of a batch.
"""
# ruff: noqa: ARG002 -- no norm needs no width

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class LayerNorm:
    """(x - mean) / sqrt(variance + eps) * gain + bias"""

    eps: float = 1e-5
    gain: bool = True
    bias: bool = True

    def __post_init__(self) -> None:
        if self.bias and not self.gain:
            raise ValueError("bias: true needs gain: true; a layer norm without gain has no bias, set bias: false")

    def build(self, dim: int) -> nn.LayerNorm:
        return nn.LayerNorm(dim, self.eps, elementwise_affine=self.gain, bias=self.bias)


@dataclass(frozen=True, kw_only=True)
class RMSNorm:
    """x / sqrt(mean(x^2) + eps) * gain"""

    eps: float = 1e-6
    gain: bool = True
    zero_centered: bool = False  # the gain is 1 + weight, so that what pulls weights to 0 pulls the gain to 1 (Gemma)

    def __post_init__(self) -> None:
        if self.zero_centered and not self.gain:
            raise ValueError("zero_centered: true needs gain: true; without a gain there is nothing to centre")

    def build(self, dim: int) -> nn.RMSNorm:
        kind = _CenteredRMSNorm if self.zero_centered else _RMSNorm
        return kind(dim, self.eps, elementwise_affine=self.gain)


@dataclass(frozen=True, kw_only=True)
class NoNorm:
    """x as it is (recurrent networks of old)."""

    def build(self, dim: int) -> nn.Identity:
        return nn.Identity()


class _RMSNorm(nn.RMSNorm):
    """torch's, with the gain in the numbers of the input: its fused kernel takes no mixture of bf16 and fp32."""

    def forward(self, x: Tensor) -> Tensor:
        gain = None if self.weight is None else self.weight.to(x.dtype)
        return F.rms_norm(x, self.normalized_shape, gain, self.eps)


class _CenteredRMSNorm(nn.RMSNorm):
    """The gain is 1 + weight, added in fp32: next to 1, bf16 tells only steps of 1/128 apart."""

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), self.normalized_shape, 1 + self.weight.float(), self.eps).to(x.dtype)

    @property
    def neutral(self) -> float:
        """The weight with which the gain is 1."""
        return 0.0


Norm = LayerNorm | RMSNorm | NoNorm
