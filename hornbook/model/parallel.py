"""Sublayers side by side: all read the same stream and their answers are added together.

GPT-J (Wang and Komatsuzaki 2021) and PaLM (Chowdhery et al. 2022, section 2) run attention and MLP at once, which is
faster on large machines and as good for large models: x + attention(norm(x)) + mlp(norm(x)). He and Hofmann (2023,
equation 7) weigh the answers by learned factors and do without the x.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.model.attention import Attention
from hornbook.model.blank import OwnNumbers
from hornbook.model.cut import Cut
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.norm import Norm
from hornbook.model.op import Context, Op
from hornbook.model.simplified import ShapedAttention

Branch = Attention | ShapedAttention | MLP | GatedMLP


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """The sum of what several sublayers say of the same stream."""

    branches: tuple[Branch, ...]
    norm: Norm | None = None  # one for each branch, in place of the stack's (GPT-NeoX); None: all read its norm (GPT-J)
    gains: tuple[float, ...] | None = None  # where learned factors of the answers begin, one a branch; None: no factors

    def __post_init__(self) -> None:
        if self.gains is not None and len(self.gains) != len(self.branches):
            raise ValueError(f"gains: {len(self.gains)} for {len(self.branches)} branches; give one for each")

    def build(self, dim: int) -> "ParallelOp":
        return ParallelOp(dim, self)


class ParallelOp(Op, OwnNumbers):
    plan: ClassVar[Mapping[str, Cut]] = {}  # each branch is shared by its own

    def __init__(self, dim: int, config: Parallel) -> None:
        super().__init__()
        self.config, self.own_norm = config, config.norm is not None
        branches = config.branches
        self.norms = nn.ModuleList(config.norm.build(dim) if config.norm else nn.Identity() for _ in branches)
        self.branches = nn.ModuleList(branch.build(dim) for branch in branches)
        self.gains = None if config.gains is None else nn.Parameter(torch.empty(len(branches)))

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- nothing is drawn
        """The recipe says where the factors begin."""
        if self.gains is not None:
            self.gains.copy_(self.gains.new_tensor(self.config.gains))

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: list[Any] | None = None
    ) -> Float[Tensor, "batch time dim"]:
        pairs = zip(self.norms, self.branches, strict=True)
        answers = [op(norm(x), context, state[i] if state else None) for i, (norm, op) in enumerate(pairs)]
        if self.gains is not None:
            answers = [gain * answer for gain, answer in zip(self.gains, answers, strict=True)]
        total: Tensor = answers[0]
        for answer in answers[1:]:
            total = total + answer
        return total

    def new_state(self, batch: int, capacity: int) -> list[Any]:
        """The state of each branch."""
        return [op.new_state(batch, capacity) for op in self.ops()]

    def ops(self) -> list[Op]:
        """The branches, as sublayers."""
        return [op for op in self.branches if isinstance(op, Op)]

    def flops(self, length: int) -> int:
        return sum(op.flops(length) for op in self.ops())

    def cache_elements(self) -> int:
        return sum(op.cache_elements() for op in self.ops())
