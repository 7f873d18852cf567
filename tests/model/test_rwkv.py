"""RWKV's two mixings all at once beside step by step; what padding leaves; its first numbers."""

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.model.decoder import Decoder
from hornbook.model.rwkv import ChannelMix, TimeMix
from tests.model.recurrent import context, made, row, step_by_step

KINDS = [TimeMix(), TimeMix(hidden=7), ChannelMix(hidden=30)]


@pytest.mark.parametrize("config", KINDS, ids=["time", "time-7", "channel"])
def test_all_at_once_is_step_by_step_and_so_are_the_gradients(config: TimeMix | ChannelMix) -> None:
    op, x = made(config), row(2, 70).requires_grad_()
    whole, steps = op(x, context(70)), step_by_step(op, x)
    torch.testing.assert_close(whole, steps, rtol=0, atol=1e-5)
    weight, leaves = torch.randn_like(whole), [x, *op.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad((whole * weight).sum(), leaves),
        torch.autograd.grad((steps * weight).sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5 * max(1.0, theirs.abs().max().item()))


@pytest.mark.parametrize("config", KINDS, ids=["time", "time-7", "channel"])
@torch.no_grad()
def test_padding_on_both_sides_and_in_the_middle_leaves_no_trace(config: TimeMix | ChannelMix) -> None:
    op, x = made(config), row(1, 12)
    real = torch.tensor([[0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0]]).bool()
    state = op.new_state(1, 12)
    parts = [op(x[:, :7], context(7, real=real[:, :7]), state), op(x[:, 7:], context(5, start=7, real=real), state)]
    want = op(x[real][None], context(7))
    torch.testing.assert_close(torch.cat(parts, 1)[real][None], want, rtol=0, atol=1e-6)


def test_first_numbers_reach_from_slow_to_fast() -> None:
    """Appendix E of the paper: the lowest layer forgets e^-5 to e^3 a step and mixes from nothing to all but one."""
    layers = recipe.load(Decoder, "models/rwkv-tiny").build().stack.layers
    low, high = layers[0][0].op, layers[2][0].op
    assert low.log_fall[[0, -1]].tolist() == [-5, 3]
    torch.testing.assert_close(low.mix_key, torch.arange(48) / 48)
    assert (high.mix_key[1:] > low.mix_key[1:]).all()
    assert (high.log_fall[1:-1] < low.log_fall[1:-1]).all()
    torch.testing.assert_close(low.bonus[:3], torch.tensor([0.3]).log() + torch.tensor([0.0, 0.5, -0.5]))


@pytest.mark.parametrize(("part", "name"), [("0", "hidden"), ("1", "hidden")])
def test_sizes_that_cannot_be_are_named(part: str, name: str) -> None:
    with pytest.raises(RecipeError, match="hidden: 0 channels hold nothing"):
        recipe.load(Decoder, "models/rwkv-tiny", [f"stack.layer.{part}.{name}=0"])
