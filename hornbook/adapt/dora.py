"""DoRA: LoRA turns the rows of a matrix, and how long they are is learned by itself (Liu et al. 2024, equation 5).

    answer = magnitude * (W + scale * B A) x / |W + scale * B A|      each output's row divided by its length

At first `magnitude` is |W|, so the model says what it said. The length that is divided by counts as a constant on the
way back (section 4.3), which saves memory and costs nothing in quality.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.adapt.lora import Lora, LowRank
from hornbook.model.blank import Linear


@dataclass(frozen=True, kw_only=True)
class Dora(Lora):
    """What is put beside the matrices of a model: directions and lengths."""

    def beside(self, linear: Linear, generator: Generator) -> LowRank:
        """The adapter of one matrix."""
        return Decomposed(self, linear, generator)


class Decomposed(LowRank):
    """LoRA, and the length of every row."""

    def __init__(self, config: Lora, linear: Linear, generator: Generator) -> None:
        super().__init__(config, linear, generator)
        self.magnitude = nn.Parameter(_lengths(linear.weight.detach().float()))

    def forward(
        self, x: Float[Tensor, "*rows inputs"], weight: Float[Tensor, "outputs inputs"], bias: Tensor | None
    ) -> Float[Tensor, "*rows outputs"]:
        """The new directions' answer at the new lengths."""
        longer = self.magnitude / self._length(weight)
        answer = self.onto(F.linear(x, weight), x)
        turned = answer * longer.to(answer.dtype)
        return turned if bias is None else turned + bias

    def merged(self, weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "outputs inputs"]:
        """The one matrix of these directions and lengths."""
        longer = self.magnitude / self._length(weight)
        return (longer[:, None] * (weight.float() + self.product())).to(weight.dtype)

    @torch.no_grad()
    def _length(self, weight: Tensor) -> Float[Tensor, " outputs"]:
        return _lengths(weight.float() + self.product())


def _lengths(weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, " outputs"]:
    lengths: Tensor = torch.linalg.vector_norm(weight, dim=1)
    return lengths
