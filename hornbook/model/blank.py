"""Matrices and tables without first numbers: `init.py` draws them all, in one place and from one generator.

torch's own would draw them twice, from the global generator, and on the meta device they import a compiler (3 CPU-s).
"""

import torch.nn.functional as F
from torch import Generator, Tensor, nn


class Linear(nn.Linear):
    """x -> x W^T + b; or what an adapter, put beside the matrix by adapt/, makes of all three."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__(inputs, outputs, bias=bias)
        self.adapter: nn.Module | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)"""
        if self.adapter is None:
            return F.linear(x, self.weight, self.bias)
        adapted: Tensor = self.adapter(x, self.weight, self.bias)
        return adapted

    def reset_parameters(self) -> None:
        """Nothing: see init.py."""


class Embedding(nn.Embedding):
    """Row i of a table for every i."""

    def reset_parameters(self) -> None:
        """Nothing: see init.py."""


class OwnNumbers(nn.Module):
    """A module that knows best what some of its numbers should be at first."""

    def first_numbers(self, generator: Generator, depth: float) -> None:
        """Draw them, after init.py has drawn all matrices; `depth` is 0 at the bottom of the model and below 1."""
        raise NotImplementedError
