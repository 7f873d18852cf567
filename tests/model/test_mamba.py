"""Mamba beside transformers' mixer, all at once beside step by step, and the state that never grows."""

import math

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.model.decoder import Decoder
from hornbook.model.mamba import Mamba
from tests.model.recurrent import context, made, row, step_by_step

ODD = Mamba(state=5, expand=3, width=3, rank=7, bias=True, convolution_bias=False)


@pytest.mark.parametrize("config", [Mamba(), ODD], ids=["default", "odd"])
def test_all_at_once_is_step_by_step_and_so_are_the_gradients(config: Mamba) -> None:
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


def test_the_state_has_one_size() -> None:
    op = made(Mamba())
    assert op.cache_elements() == 0
    state = op.new_state(2, 1_000_000)
    assert state.before.shape == (2, 3, 24)
    assert state.hidden.shape == (2, 16, 24)


@torch.no_grad()
def test_a_padded_step_leaves_the_state_untouched() -> None:
    op, x = made(Mamba()), row(1, 6)
    state = op.new_state(1, 20)
    op(x, context(6), state)
    before, hidden = state.before.clone(), state.hidden.clone()
    op(row(1, 3), context(3, start=6, real=torch.tensor([[True] * 6 + [False] * 3])), state)
    assert torch.equal(state.before, before)
    torch.testing.assert_close(state.hidden, hidden, rtol=0, atol=0)


@torch.no_grad()
def test_bfloat16_keeps_its_state_in_fp32() -> None:
    op, x = made(Mamba()), row(2, 40)
    want = op(x, context(40))
    with torch.autocast("cpu", torch.bfloat16):
        assert (op(x, context(40)) - want).abs().max() < 0.05 * want.abs().max()
    cast = made(Mamba()).to(torch.bfloat16)
    found = cast(x.to(torch.bfloat16), context(40))
    assert found.dtype == torch.bfloat16
    assert (found.float() - want).abs().max() < 0.1 * want.abs().max()
    assert cast.new_state(1, 1).hidden.dtype == torch.float32


def test_first_numbers() -> None:
    op = recipe.load(Decoder, "models/mamba-tiny", ["dim=256", "stack.layer.0.rank=16"]).build().stack.layers[1][0].op
    torch.testing.assert_close(op.log_rate.view(-1, 8).exp(), torch.arange(1.0, 9).expand(768, 8))
    steps = torch.nn.functional.softplus(op.step.bias)
    assert 0.001 <= steps.min() < 0.0012
    assert 0.09 < steps.max() <= 0.1 + 1e-6
    assert steps.log().mean().item() == pytest.approx(math.log(0.01), abs=0.15)
    assert op.step.weight.abs().max().item() == pytest.approx(0.25, abs=0.001)
    assert (op.skip == 1).all()
    assert op.output.weight.std().item() == pytest.approx(0.02 / math.sqrt(3), rel=0.03)


@pytest.mark.parametrize(
    ("name", "parameters"), [("mamba-130m", 129_135_360), ("mamba-2.8b", 2_768_345_600), ("rwkv-169m", 169_342_464)]
)
def test_published_sizes_are_counted_without_memory(name: str, parameters: int) -> None:
    with torch.device("meta"):
        model = recipe.load(Decoder, f"models/{name}").build()
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_sizes_that_cannot_be_are_named() -> None:
    with pytest.raises(RecipeError, match="width: 0 is not above 0"):
        recipe.load(Decoder, "models/mamba-tiny", ["stack.layer.0.width=0"])
