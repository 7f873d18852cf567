"""LoRA: a frozen matrix learns by a product of two narrow ones that is added to it (Hu et al. 2022, section 4.1).

    answer = x W^T + scale * (x A^T) B^T      A (rank, inputs) random, B (outputs, rank) zero at first

so the model says at first what it said before, and what is learned can be folded in: W + scale * B A. Only A and B need
gradients and optimizer state. `scale` is alpha / rank, or alpha / sqrt(rank), with which large ranks learn as well as
small ones (Kalajdzievski 2023, rsLoRA). A begins as in the authors' code, uniform with deviation 1/sqrt(3 inputs).
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.model.blank import Linear

Scaling = Literal["rank", "root"]
LAYERS = ("*.layers.*",)  # the matrices of all layers: of attention, of MLPs, of what else a layer has


@dataclass(frozen=True, kw_only=True)
class Lora:
    """What is put beside the matrices of a model."""

    rank: int = 16  # inner width of the product; 4 to 64 are usual
    alpha: float = 32.0  # strength of what is added
    scaling: Scaling = "rank"  # alpha is divided by the rank, or by its root (rsLoRA)
    dropout: float = 0.0  # share of the inputs of A dropped while training
    targets: tuple[str, ...] = LAYERS  # names of matrices, * for anything: query, value, "*.layers.0.*"
    full: tuple[str, ...] = ()  # modules beside them that learn whole: a fresh head, the embeddings

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"rank: {self.rank} adds nothing; give at least 1")
        if self.alpha <= 0:
            raise ValueError(f"alpha: {self.alpha} is not above 0; twice the rank is usual")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: {self.dropout} is not a share; give 0 or more and less than 1")
        if not self.targets:
            raise ValueError(f"targets: none; name matrices, such as query and value, or all layers: {LAYERS[0]}")

    @property
    def scale(self) -> float:
        """The factor on what is added."""
        return self.alpha / (self.rank if self.scaling == "rank" else math.sqrt(self.rank))

    def beside(self, linear: Linear, generator: Generator) -> "LowRank":
        """The adapter of one matrix."""
        return LowRank(self, linear, generator)


class LowRank(nn.Module):
    """The two narrow matrices beside a frozen one."""

    def __init__(self, config: Lora, linear: Linear, generator: Generator) -> None:
        super().__init__()
        self.config, device = config, linear.weight.device
        bound = 1 / math.sqrt(linear.in_features)
        drawn = torch.empty(config.rank, linear.in_features).uniform_(-bound, bound, generator=generator)
        self.down = nn.Parameter(drawn.to(device))  # A; fp32 whatever the frozen matrix is in, as small steps need
        self.up = nn.Parameter(torch.zeros(linear.out_features, config.rank, device=device))  # B

    def forward(
        self, x: Float[Tensor, "*rows inputs"], weight: Float[Tensor, "outputs inputs"], bias: Tensor | None
    ) -> Float[Tensor, "*rows outputs"]:
        """What the matrix says of x, and what has been learned."""
        return self.onto(F.linear(x, weight, bias), x)

    def onto(
        self, answer: Float[Tensor, "*rows outputs"], x: Float[Tensor, "*rows inputs"]
    ) -> Float[Tensor, "*rows outputs"]:
        """An answer and what has been learned, in one pass over it; the scale is put on the few numbers between."""
        dropped = F.dropout(x, self.config.dropout, self.training).to(self.down.dtype)
        inner = F.linear(dropped, self.down) * self.config.scale
        flat, up = answer.reshape(-1, answer.shape[-1]), self.up.t().to(answer.dtype)
        return torch.addmm(flat, inner.reshape(-1, self.config.rank).to(flat.dtype), up).view_as(answer)

    def product(self) -> Float[Tensor, "outputs inputs"]:
        """What is added to the matrix."""
        return self.config.scale * (self.up @ self.down)

    def merged(self, weight: Float[Tensor, "outputs inputs"]) -> Float[Tensor, "outputs inputs"]:
        """The one matrix that says what this one and its adapter say together, without dropout."""
        return (weight.float() + self.product()).to(weight.dtype)
