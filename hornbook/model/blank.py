"""Matrices and tables without first numbers: `init.py` draws them all, in one place and from one generator.

torch's own would draw them twice, from the global generator, and on the meta device they import a compiler (3 CPU-s).
"""

from torch import nn


class Linear(nn.Linear):
    """x -> x W^T + b"""

    def reset_parameters(self) -> None:
        """Nothing: see init.py."""


class Embedding(nn.Embedding):
    """Row i of a table for every i."""

    def reset_parameters(self) -> None:
        """Nothing: see init.py."""
