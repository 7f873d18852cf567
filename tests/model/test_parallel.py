"""Sublayers side by side against the formulas of GPT-J, GPT-NeoX and He and Hofmann."""

import pytest
import torch

from hornbook.model.attention import Attention
from hornbook.model.mask import Sight
from hornbook.model.mlp import MLP
from hornbook.model.norm import LayerNorm, RMSNorm
from hornbook.model.op import Context
from hornbook.model.parallel import Parallel
from hornbook.model.position import PositionBase
from hornbook.model.stack import LayerStack, Stack

BRANCHES = (Attention(heads=3), MLP(hidden=20))
CONTEXT = Context(PositionBase(), torch.arange(5)[None], Sight(5))
X = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(1))


def made(config: Parallel, placement: str = "pre") -> LayerStack:
    stack = Stack(layers=1, layer=(config,), norm=RMSNorm(), placement=placement).build(12, 5)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return stack.eval()


@torch.no_grad()
def test_one_norm_serves_all() -> None:
    stack = made(Parallel(branches=BRANCHES))
    residual = stack.layers[0][0]
    attention, mlp = residual.op.branches
    normed = residual.norm(X)
    want = stack.final_norm(X + attention(normed, CONTEXT) + mlp(normed, CONTEXT))
    torch.testing.assert_close(stack(X, CONTEXT), want)


@torch.no_grad()
def test_each_may_have_its_own_norm() -> None:
    stack = made(Parallel(branches=BRANCHES, norm=LayerNorm()))
    op = stack.layers[0][0].op
    assert sum(1 for _ in stack.layers[0][0].norm.parameters()) == 0  # none before the two
    (one, two), (attention, mlp) = op.norms, op.branches
    want = stack.final_norm(X + attention(one(X), CONTEXT) + mlp(two(X), CONTEXT))
    torch.testing.assert_close(stack(X, CONTEXT), want)


@torch.no_grad()
def test_answers_are_weighed_and_no_residual_is_left() -> None:
    stack = made(Parallel(branches=BRANCHES, gains=(1.0, 0.1)), placement="none")
    residual = stack.layers[0][0]
    residual.op.gains.copy_(torch.tensor([2.0, -0.5]))
    attention, mlp = residual.op.branches
    normed = residual.norm(X)
    want = stack.final_norm(2 * attention(normed, CONTEXT) - 0.5 * mlp(normed, CONTEXT))
    torch.testing.assert_close(stack(X, CONTEXT), want)


def test_each_branch_has_a_gain_or_none_has() -> None:
    with pytest.raises(ValueError, match="gains: 1 for 2 branches; give one for each"):
        Parallel(branches=BRANCHES, gains=(1.0,))
