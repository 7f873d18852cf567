"""A sum over chunks is the sum over all: value and gradients, however large a chunk is."""

import pytest
import torch
from torch import Tensor, nn

from hornbook.objective.chunked import chunked_sum


def parts() -> tuple[nn.Linear, Tensor, Tensor]:
    torch.manual_seed(0)
    return nn.Linear(6, 11), torch.randn(13, 6, requires_grad=True), torch.randn(13, 11)


@pytest.mark.parametrize("chunk", [1, 5, 13, 50])
def test_value_and_gradients_are_those_of_the_whole(chunk: int) -> None:
    head, hidden, wanted = parts()

    def loss(hidden: Tensor, wanted: Tensor) -> Tensor:
        return ((head(hidden) - wanted) ** 2).sum()

    (loss(hidden, wanted) / 7).backward()
    plain = [hidden.grad, head.weight.grad, head.bias.grad]
    hidden.grad = head.weight.grad = head.bias.grad = None
    total = chunked_sum(loss, head, hidden, wanted, chunk=chunk)
    (total / 7).backward()
    torch.testing.assert_close(total, loss(hidden, wanted))
    torch.testing.assert_close([hidden.grad, head.weight.grad, head.bias.grad], plain)
    with torch.no_grad():
        torch.testing.assert_close(chunked_sum(loss, head, hidden, wanted, chunk=chunk), total)


def test_no_place_is_no_loss_and_no_gradient() -> None:
    head, hidden, wanted = parts()
    total = chunked_sum(lambda h, w: (head(h) - w).sum(), head, hidden[:0], wanted[:0])
    total.backward()
    assert float(total.detach()) == 0
    assert float(head.weight.grad.abs().sum()) == 0


def test_a_frozen_head_is_left_alone() -> None:
    head, hidden, wanted = parts()
    head.requires_grad_(False)
    chunked_sum(lambda h, w: (head(h) - w).square().sum(), head, hidden, wanted, chunk=4).backward()
    assert head.weight.grad is None
    assert float(hidden.grad.abs().sum()) > 0
