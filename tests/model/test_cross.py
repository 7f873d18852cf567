"""Cross-attention beside PyTorch's, and its memory while decoding."""

import torch
from torch import nn

from hornbook.model.cross import CrossAttention
from hornbook.model.mask import Sight
from hornbook.model.op import Context
from hornbook.model.position import PositionBase


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def context(memory: torch.Tensor | None, real: torch.Tensor | None = None, time: int = 5) -> Context:
    return Context(PositionBase(), torch.arange(time)[None], Sight(time), memory=memory, memory_real=real)


def filled(config: CrossAttention, dim: int) -> nn.Module:
    op = config.build(dim)
    with torch.no_grad():
        for number, parameter in enumerate(op.parameters()):
            parameter.copy_(0.3 * some(*parameter.shape, seed=number + 10))
    return op


@torch.no_grad()
def test_it_is_pytorchs() -> None:
    op = filled(CrossAttention(heads=4, bias=True, output_bias=True), 24)
    theirs = nn.MultiheadAttention(24, 4, batch_first=True)
    theirs.in_proj_weight.copy_(torch.cat([op.query.weight, op.key.weight, op.value.weight]))
    theirs.in_proj_bias.copy_(torch.cat([op.query.bias, op.key.bias, op.value.bias]))
    theirs.out_proj.load_state_dict(op.output.state_dict())
    x, memory, real = some(2, 5, 24), some(2, 9, 24, seed=1), torch.ones(2, 9).bool()
    real[1, 6:] = False
    want = theirs(x, memory, memory, key_padding_mask=~real, need_weights=False)[0]
    torch.testing.assert_close(op(x, context(memory, real)), want)


@torch.no_grad()
def test_the_memory_is_read_once() -> None:
    op, x, memory = filled(CrossAttention(heads=4, head_dim=10), 24), some(2, 5, 24), some(2, 9, 24, seed=1)
    state = op.new_state(2, 5)
    first = op(x[:, :2], context(memory, time=2), state)
    rest = op(x[:, 2:], context(None, time=3), state)
    torch.testing.assert_close(torch.cat([first, rest], 1), op(x, context(memory)))
    assert state.found[0].shape == (2, 4, 9, 10)
