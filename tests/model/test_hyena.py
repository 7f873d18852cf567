"""Hyena by its definition; whole, in parts, padded in odd places and packed."""

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.model.decoder import Decoder
from hornbook.model.hyena import Hyena, HyenaOperator
from hornbook.model.steps import Steps
from tests.model.recurrent import context, made, row, step_by_step

ODD = Hyena(length=40, order=3, width=2, filter_hidden=9, waves=3)


def some(config: Hyena = ODD) -> HyenaOperator:
    op = made(config)
    assert isinstance(op, HyenaOperator)
    return op


@torch.no_grad()
def test_it_is_the_definition_with_direct_sums() -> None:
    """z(n+1) = gate n * (filter n * z(n)), every convolution written out."""
    op, x = some(), row(2, 30)
    projected = op.project(x)
    z, *gates = op.convolution(projected, op.convolution.empty(2), Steps()).split(12, -1)
    taps = op.taps(30)
    for i, gate in enumerate(gates):
        heard = [sum(taps[t - s, i] * z[:, s] for s in range(t + 1)) for t in range(30)]
        z = gate * (torch.stack(heard, 1) + op.skip[12 * i : 12 * i + 12] * z)  # type: ignore[arg-type]
    torch.testing.assert_close(op(x, context(30)), op.output(z), rtol=0, atol=1e-5)


@pytest.mark.parametrize("config", [ODD, Hyena(length=40)], ids=["odd", "default"])
@torch.no_grad()
def test_writing_is_reading(config: Hyena) -> None:
    op, x = some(config), row(2, 30)
    torch.testing.assert_close(step_by_step(op, x), op(x, context(30)), rtol=0, atol=1e-5)


@torch.no_grad()
def test_padding_on_both_sides_and_in_the_middle_leaves_no_trace() -> None:
    op, x = some(), row(2, 14)
    real = torch.tensor([[0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1], [1] * 14]).bool()
    state, parts = op.new_state(2, 14), []
    for start, end in [(0, 7), (7, 12), (12, 13), (13, 14)]:
        parts.append(op(x[:, start:end], context(end - start, start=start, real=real[:, :end]), state))
    together = torch.cat(parts, 1)
    for i in range(2):
        want = op(x[i][real[i]][None], context(int(real[i].sum())))
        torch.testing.assert_close(together[i][real[i]][None], want, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_later_step_never_changes_an_earlier_one() -> None:
    op, x = some().double(), row(1, 30).double()
    moved = x.clone()
    moved[:, 17] += 1
    change = (op(moved, context(30)) - op(x, context(30))).abs().amax((0, 2))
    assert change[:17].max() < 1e-12 < 1e-4 < change[17:].min()


def test_cost_counts_transforms_and_a_cache_as_long_as_the_text() -> None:
    op = some()
    assert op.cache_elements() == 3 * 12
    matrices = 2 * sum(weight.numel() for weight in op.parameters() if weight.dim() == 2)
    assert op.flops(32) - matrices == 3 * 12 * 2 * 5 * 7  # 2 transforms, 5 operations a level, 7 bits of 64
    assert op.new_state(2, 20).past[0].shape == (2, 20, 12)


def test_longer_texts_than_the_filters_are_refused() -> None:
    op = some()
    with pytest.raises(ValueError, match="41 tokens are more than the 40 that the filters reach"):
        op(row(1, 41), context(41))
    state = op.new_state(2, 50)
    op(row(2, 40), context(40), state)
    with pytest.raises(ValueError, match="41 tokens are more than the 40"):
        op(row(2, 1), context(1, start=40), state)
    state.count[0] = 3  # a finished row beside one with room
    assert op(row(2, 1), context(1, start=40), state).isfinite().all()
    with pytest.raises(RecipeError, match="order: 0 is not above 0"):
        recipe.load(Decoder, "models/hyena-tiny", ["stack.layer.0.order=0"])
