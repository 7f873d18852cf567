"""Long convolutions by FFT, by product and by the sum they stand for; what the drawn filters look like."""

import pytest
import torch
from torch import Tensor

from hornbook.model.long_filter import LongFilter, by_product, long_convolution


def by_sum(x: Tensor, taps: Tensor) -> Tensor:
    every = [sum(taps[t - s] * x[:, s] for s in range(t + 1)) for t in range(x.shape[1])]
    return torch.stack(every, 1)  # type: ignore[arg-type]


def some(time: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(time)
    return torch.randn(2, time, 3, generator=generator), torch.randn(time, 3, generator=generator) / time**0.5


@pytest.mark.parametrize("time", [1, 2, 7, 64, 129])
def test_fft_and_product_are_the_sum(time: int) -> None:
    x, taps = some(time)
    want = by_sum(x, taps)
    torch.testing.assert_close(long_convolution(x, taps), want, rtol=0, atol=1e-5)
    for now in {0, time // 2, time - 1}:
        found = by_product(x, taps, torch.tensor([now, time - 1]))
        torch.testing.assert_close(found, torch.stack([want[0, now], want[1, time - 1]]), rtol=0, atol=1e-5)


def test_nothing_wraps_around_into_the_past() -> None:
    """A late shout is not heard before: what the FFT leaves there is rounding."""
    x, taps = some(200)
    louder = x.clone()
    louder[:, 150] += 1000
    change = (long_convolution(louder.double(), taps.double()) - long_convolution(x.double(), taps.double())).abs()
    assert change[:, :150].max() < 1e-12
    assert change[:, 150:].max() > 1


def test_filters_are_as_loud_as_their_windows_let_them() -> None:
    drawn = LongFilter(channels=40, hidden=32, waves=8, length=500)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        drawn.first_numbers(generator, 0.0)
        drawn.enter.bias.zero_()
        drawn.middle.bias.zero_()
        taps = drawn(500) * 500**0.5
        assert torch.equal(drawn(20) * 500**0.5, taps[:20])  # a shorter text has the same filters
    energy = taps.square().view(10, 50, 40).mean(1).sqrt()
    assert 0.3 < energy[0].mean() < 1.0
    assert energy[3:, 0].max() < 0.02  # the fastest forget all but a hundredth within 0.3 of the length
    assert energy[9, -1] > 0.02  # the slowest do not
