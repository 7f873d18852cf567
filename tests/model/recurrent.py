"""What the tests of recurrent sublayers share: a sublayer with weights, and the context of a plain pass."""

from typing import Any

import torch
from torch import Tensor

from hornbook.model.init import ZeroOutput
from hornbook.model.mask import Sight
from hornbook.model.op import Context, Op
from hornbook.model.position import PositionBase


def made(config: Any, dim: int = 12) -> Op:
    """A sublayer whose every number is off its first value."""
    op: Op = config.build(dim)
    generator = torch.Generator().manual_seed(0)
    ZeroOutput().fill(op, generator)
    with torch.no_grad():
        for parameter in op.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return op


def context(time: int, **sight: Any) -> Context:
    return Context(PositionBase(), torch.arange(time)[None], Sight(time, **sight))


def row(batch: int, time: int, dim: int = 12) -> Tensor:
    return torch.randn(batch, time, dim, generator=torch.Generator().manual_seed(1))


def step_by_step(op: Op, x: Tensor) -> Tensor:
    """As it decodes: one step at a time."""
    state = op.new_state(x.shape[0], x.shape[1])
    steps = [op(x[:, [t]], context(1, start=t), state) for t in range(x.shape[1])]
    return torch.cat(steps, 1)
