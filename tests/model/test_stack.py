"""The wiring between sublayers: where norms stand, layers that take turns, dropout; beside PyTorch's own layer."""

import pytest
import torch
from torch import Tensor, nn

from hornbook.model.attention import Attention
from hornbook.model.mask import Sight
from hornbook.model.mlp import MLP
from hornbook.model.norm import LayerNorm
from hornbook.model.op import Context
from hornbook.model.stack import LayerStack, Stack

LAYER = (Attention(heads=4, bias=True, output_bias=True), MLP(hidden=48, activation="relu", bias=True))


def filled(stack: LayerStack) -> LayerStack:
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return stack.eval()


def context(stack: LayerStack, time: int) -> Context:
    return Context(stack.position, torch.arange(time)[None], Sight(time))


@pytest.mark.parametrize("placement", ["pre", "post"])
@torch.no_grad()
def test_one_layer_is_pytorchs_layer(placement: str) -> None:
    stack = filled(Stack(layers=1, layer=LAYER, placement=placement).build(24, 16))  # type: ignore[arg-type]
    attention, mlp = stack.layers[0]
    theirs = nn.TransformerEncoderLayer(24, 4, 48, batch_first=True, norm_first=placement == "pre").eval()
    parts = [attention.op.query, attention.op.key, attention.op.value]
    theirs.self_attn.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
    theirs.self_attn.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    for ours, other in [
        (attention.op.output, theirs.self_attn.out_proj),
        (mlp.op.up, theirs.linear1),
        (mlp.op.output, theirs.linear2),
        (attention.norm, theirs.norm1),
        (mlp.norm, theirs.norm2),
    ]:
        other.load_state_dict(ours.state_dict())
    x = torch.randn(2, 7, 24, generator=torch.Generator().manual_seed(1))
    later = torch.ones(7, 7).triu(1).bool()
    want = theirs(x, src_mask=later)
    want = stack.final_norm(want)  # nothing, after post
    torch.testing.assert_close(stack(x, context(stack, 7)), want, rtol=0, atol=1e-5)
    assert isinstance(stack.final_norm, nn.Identity) == (placement == "post")


def test_named_layers_take_turns() -> None:
    near, far = (Attention(heads=4, window=2),), (Attention(heads=4),)
    plan = Stack(layers=7, layer={"n": near, "f": far}, pattern="nnf").plan()
    assert [layer == near for layer in plan] == [True, True, False, True, True, False, True]


@torch.no_grad()
def test_a_window_reaches_further_with_every_layer() -> None:
    """Two layers that see one token back see two tokens back."""
    stack = filled(Stack(layers=2, layer=(Attention(heads=4, window=2),)).build(24, 16))
    x = torch.randn(1, 6, 24, generator=torch.Generator().manual_seed(1))
    moved = x.clone()
    moved[0, 0] += torch.randn(24, generator=torch.Generator().manual_seed(2))
    change = (stack(moved, context(stack, 6)) - stack(x, context(stack, 6))).abs().amax(-1)[0]
    assert (change > 1e-4).tolist() == [True, True, True, False, False, False]


def test_dropout_drops_its_share_of_each_answer() -> None:
    stack = filled(
        Stack(layers=1, layer=(MLP(hidden=8),), dropout=0.2, norm=LayerNorm(gain=False, bias=False)).build(64, 1)
    )
    residual, x = stack.layers[0][0], torch.randn(50, 100, 64)

    def added() -> Tensor:
        return residual(x, context(stack, 100)) - x

    with torch.no_grad():
        whole = added()
        torch.manual_seed(0)
        stack.train()
        dropped = added()
    kept = dropped.abs() > 1e-5 * whole.abs().mean()
    assert kept.float().mean().item() == pytest.approx(0.8, abs=0.005)
    torch.testing.assert_close(dropped[kept], whole[kept] / 0.8, rtol=1e-3, atol=1e-4)
