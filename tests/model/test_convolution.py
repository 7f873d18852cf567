"""The short convolution is PyTorch's, sees no other document, and goes on where it stopped."""

import pytest
import torch
import torch.nn.functional as F

from hornbook.model.convolution import ShortConvolution
from hornbook.model.mask import Sight
from hornbook.model.steps import Steps, steps_of


def made(width: int, *, bias: bool = True) -> ShortConvolution:
    made = ShortConvolution(5, width, bias=bias)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    return made


ROW = torch.randn(2, 9, 5, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("width", [1, 2, 4, 12])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_conv1d(width: int, bias: bool) -> None:
    ours = made(width, bias=bias)
    want = F.conv1d(ROW.mT, ours.weight, ours.bias, padding=width - 1, groups=5)[..., :9].mT
    torch.testing.assert_close(ours(ROW, ours.empty(2), Steps()), want)


@torch.no_grad()
def test_in_parts_and_in_documents() -> None:
    ours, steps = made(4), Steps()
    first = ours(ROW[:, :2], ours.empty(2), steps)
    before = steps.window(ours.empty(2), ROW[:, :2])
    whole = ours(ROW, ours.empty(2), steps)
    torch.testing.assert_close(torch.cat([first, ours(ROW[:, 2:], before, steps)], 1), whole)
    packed = ours(ROW, ours.empty(2), steps_of(Sight(9, documents=torch.tensor([[1] * 2 + [5] * 7] * 2))))
    torch.testing.assert_close(packed, torch.cat([first, ours(ROW[:, 2:], ours.empty(2), steps)], 1))


def test_first_numbers_are_those_of_pytorchs_convolution() -> None:
    ours = ShortConvolution(1000, 4, bias=True)
    with torch.no_grad():
        ours.first_numbers(torch.Generator().manual_seed(0), 0.5)
    assert ours.weight.abs().max().item() == pytest.approx(0.5, abs=0.001)
    assert ours.weight.std().item() == pytest.approx(0.5 / 3**0.5, rel=0.03)
