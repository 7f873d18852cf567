"""Every way to wire a sublayer, written out by hand."""

import pytest
import torch
from torch import Tensor

from hornbook.model.mask import Sight
from hornbook.model.mlp import MLP
from hornbook.model.norm import LayerNorm, RMSNorm
from hornbook.model.op import Context
from hornbook.model.residual import Placement
from hornbook.model.stack import LayerStack, Stack

LAYER = (MLP(hidden=20), MLP(hidden=12, activation="relu"))


def filled(placement: Placement, norm: LayerNorm | RMSNorm) -> LayerStack:
    stack = Stack(layers=2, layer=LAYER, placement=placement, norm=norm).build(8, 4)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator))
    return stack.eval()


def run(stack: LayerStack, x: Tensor) -> Tensor:
    answer: Tensor = stack(x, Context(stack.position, torch.arange(4)[None], Sight(4)))
    return answer


def by_hand(stack: LayerStack, placement: str, x: Tensor) -> Tensor:
    total = x
    for residual in [residual for layer in stack.layers for residual in layer]:
        f, norm = lambda v, r=residual: r.op(v, None), residual.norm
        if placement == "pre":
            x = x + f(norm(x))
        elif placement == "post":
            x = norm(x + f(x))
        elif placement == "sandwich":
            x = x + residual.after(f(norm(x)))
        elif placement == "output":
            x = x + norm(f(x))
        elif placement == "dual":
            x, total = norm(x + f(x)), total + f(x)
        else:
            x = f(norm(x))
    if placement == "dual":
        return x + stack.final_norm(total)
    return x if placement == "post" else stack.final_norm(x)


@pytest.mark.parametrize(
    "norm", [LayerNorm(), LayerNorm(gain=False, bias=False), RMSNorm(), RMSNorm(zero_centered=True)]
)
@pytest.mark.parametrize("placement", ["pre", "post", "sandwich", "output", "dual", "none"])
@torch.no_grad()
def test_each_placement_with_each_norm(placement: Placement, norm: LayerNorm | RMSNorm) -> None:
    stack, x = filled(placement, norm), torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(run(stack, x), by_hand(stack, placement, x))


@torch.no_grad()
def test_repeats_use_the_same_weights_again() -> None:
    once = Stack(layers=2, layer=LAYER, repeats=1).build(8, 4)
    thrice = Stack(layers=2, layer=LAYER, repeats=3).build(8, 4)
    for stack in (once, thrice):
        for number, parameter in enumerate(stack.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))
    assert len(list(once.parameters())) == len(list(thrice.parameters()))
    x = torch.randn(2, 4, 8)
    want, context = x, Context(once.position, torch.arange(4)[None], Sight(4))
    for layer in once.layers:
        for _ in range(3):
            want = layer(want, context)
    torch.testing.assert_close(run(thrice, x), once.final_norm(want))
    assert len(thrice.new_state(1, 4).layers) == 6
