"""The scan against the loop it stands for: every length, both directions, gradients, decays of any strength."""

import pytest
import torch
from torch import Tensor

from hornbook.model.scan import joins, linear_scan, running_max_, scan_, widened


def by_steps(decay: Tensor, value: Tensor, start: Tensor) -> Tensor:
    h, every = start, []
    for t in range(value.shape[1]):
        h = decay[:, t] * h + value[:, t]
        every.append(h)
    return torch.stack(every, 1)


def some(time: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(time)
    decay = torch.rand(2, time, 1, 5, dtype=torch.double, generator=generator)
    value = torch.randn(2, time, 3, 5, dtype=torch.double, generator=generator)
    start = torch.randn(2, 3, 5, dtype=torch.double, generator=generator)
    return [tensor.requires_grad_() for tensor in (decay, value, start)]


@pytest.mark.parametrize("time", [*range(1, 20), 31, 32, 33, 100])
def test_every_length_is_the_loop_and_so_are_its_gradients(time: int) -> None:
    given = some(time)
    want, found = by_steps(*given), linear_scan(*given)
    torch.testing.assert_close(found, want)
    weight = torch.randn_like(want)
    for ours, theirs in zip(
        torch.autograd.grad((found * weight).sum(), given),
        torch.autograd.grad((want * weight).sum(), given),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("time", [1, 2, 5, 8, 13])
def test_backwards_is_the_row_turned_around(time: int) -> None:
    decay, value, _ = (tensor.detach() for tensor in some(time))
    turned = value.flip(1).contiguous()
    scan_(decay.flip(1).contiguous(), turned)
    scan_(decay.clone(), value, backwards=True)
    torch.testing.assert_close(value, turned.flip(1))


@pytest.mark.parametrize("time", [1, 2, 7, 16, 21])
def test_a_running_maximum_that_falls(time: int) -> None:
    generator = torch.Generator().manual_seed(0)
    fall, value = -torch.rand(2, time, 3, generator=generator), torch.randn(2, time, 3, generator=generator)
    want = value.clone()
    for t in range(1, time):
        want[:, t] = torch.maximum(want[:, t], want[:, t - 1] + fall[:, t])
    running_max_(fall, value)
    torch.testing.assert_close(value, want)


def test_decays_that_forget_all_or_nothing_make_no_nan() -> None:
    decay = torch.tensor([[1.0, 0.0, 1e-38, 1.0, 1e-30, 1e-30]])
    value = torch.full((1, 6), 1e30)
    torch.testing.assert_close(
        linear_scan(decay, value, torch.tensor([1e30])), by_steps(decay, value, torch.tensor([1e30]))
    )


def test_moves_are_few() -> None:
    assert len(list(joins(512))) == 9 + 8


def test_small_numbers_are_widened_and_wide_ones_kept() -> None:
    kinds = [torch.bfloat16, torch.float32, torch.float64]
    assert [widened(torch.zeros(1, dtype=kind)).dtype for kind in kinds] == [
        torch.float32,
        torch.float32,
        torch.float64,
    ]
