"""The gated unit by its formula, from both ends, padded and packed."""

import pytest
import torch
from torch import nn

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.model.decoder import Decoder
from hornbook.model.gru import GRU, GatedRecurrence
from tests.model.recurrent import context, made, row, step_by_step


def some(**config: bool) -> GatedRecurrence:
    op = made(GRU(hidden=7, **config))
    assert isinstance(op, GatedRecurrence)
    return op


@torch.no_grad()
def test_it_is_the_formula() -> None:
    op, x, h = some(), row(2, 9), torch.zeros(2, 7)
    inwards, onwards, bias, carried_bias = op.onwards.parameters()
    want = []
    for t in range(9):
        r, z, n = (x[:, t] @ inwards.T + bias).chunk(3, -1)
        hr, hz, hn = (h @ onwards.T + carried_bias).chunk(3, -1)
        update = torch.sigmoid(z + hz)
        h = update * h + (1 - update) * torch.tanh(n + torch.sigmoid(r + hr) * hn)
        want.append(op.output(h))
    torch.testing.assert_close(op(x, context(9)), torch.stack(want, 1), rtol=0, atol=1e-6)
    torch.testing.assert_close(step_by_step(op, x), torch.stack(want, 1), rtol=0, atol=1e-6)


@torch.no_grad()
def test_both_directions_are_pytorchs() -> None:
    op, x = some(bidirectional=True), row(2, 9)
    theirs = nn.GRU(12, 7, batch_first=True, bidirectional=True)
    pairs = zip(theirs.parameters(), [*op.onwards.parameters(), *op.backwards.parameters()], strict=True)
    for parameter, ours in pairs:
        parameter.copy_(ours)
    torch.testing.assert_close(op(x, context(9)), op.output(theirs(x)[0]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
@torch.no_grad()
def test_padding_leaves_no_trace(bidirectional: bool) -> None:
    op, x = some(bidirectional=bidirectional), row(3, 9)
    real = torch.tensor([[0, 0, 1, 1, 1, 1, 1, 1, 1], [1] * 6 + [0] * 3, [0, 1, 1, 0, 1, 1, 1, 1, 0]]).bool()
    together = op(x, context(9, real=real))
    for i in range(3):
        want = op(x[i][real[i]][None], context(int(real[i].sum())))
        torch.testing.assert_close(together[i][real[i]][None], want, rtol=0, atol=1e-6)


def test_packed_rows_cannot_be_read_from_the_end() -> None:
    with pytest.raises(ValueError, match="document_ids: a bidirectional gru reads whole rows"):
        some(bidirectional=True)(row(1, 4), context(4, documents=torch.tensor([[1, 1, 2, 2]])))


@torch.no_grad()
def test_what_is_carried_on_is_turned_and_not_stretched() -> None:
    """Orthogonal at first (Bahdanau et al. 2015, appendix B.1)."""
    op = recipe.load(Decoder, "models/gru-tiny").build().stack.layers[0][0].op
    inwards, onwards, bias, _ = op.onwards.parameters()
    for gate in onwards.chunk(3):
        torch.testing.assert_close(gate @ gate.T, torch.eye(56), rtol=0, atol=1e-5)
    assert inwards.std().item() == pytest.approx(48**-0.5, rel=0.03)
    assert bias.abs().max() == 0


def test_sizes_that_cannot_be_are_named() -> None:
    with pytest.raises(RecipeError, match="hidden: 0 numbers carry nothing"):
        recipe.load(Decoder, "models/gru-tiny", ["stack.layer.0.hidden=0"])
