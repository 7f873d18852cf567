"""DoRA beside one matrix: directions and lengths, by hand and as peft."""

import pytest
import torch
from torch import nn

from hornbook.adapt.dora import Decomposed, Dora
from tests.adapt.test_lora import beside, both, linear, theirs


@pytest.mark.parametrize("bias", [True, False])
def test_it_says_and_learns_what_pefts_does(bias: bool) -> None:
    made = linear(bias=bias)
    layer = beside(made, Dora(rank=4, alpha=6.0))
    assert isinstance(layer, Decomposed)
    other = theirs(made, layer, use_dora=True)
    magnitude = other.lora_magnitude_vector["default"].weight
    torch.testing.assert_close(magnitude, made.weight.norm(dim=1))
    with torch.no_grad():
        magnitude.copy_(layer.magnitude)
    x = torch.randn(2, 7, 12, generator=torch.Generator().manual_seed(2)) / 10
    said, wanted, by_x, by_x_wanted = both(made, other, x)
    close = {"rtol": 1e-5, "atol": 2e-6}
    torch.testing.assert_close(said, wanted, **close)
    torch.testing.assert_close(by_x, by_x_wanted, **close)
    torch.testing.assert_close(layer.down.grad, other.lora_A["default"].weight.grad, **close)
    torch.testing.assert_close(layer.up.grad, other.lora_B["default"].weight.grad, **close)
    torch.testing.assert_close(layer.magnitude.grad, magnitude.grad, **close)


def test_at_first_it_says_what_the_matrix_says() -> None:
    made, plain = linear(), linear()
    beside(made, Dora(), learned=False)
    x = torch.randn(3, 5, 12, generator=torch.Generator().manual_seed(2))
    assert torch.equal(made(x), plain(x))


def test_the_rows_of_the_merged_matrix_are_as_long_as_was_learned() -> None:
    made = linear()
    layer = beside(made, Dora(rank=3))
    assert isinstance(layer, Decomposed)
    merged = layer.merged(made.weight)
    torch.testing.assert_close(merged.norm(dim=1), layer.magnitude.abs())
    x = torch.randn(5, 12, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(made(x), nn.functional.linear(x, merged, made.bias), rtol=1e-6, atol=1e-5)
