"""Log-probabilities against the plain ones, gradients included, and never more logits than a chunk."""

import pytest
import torch
from torch import Tensor, nn

from hornbook.objective.log_probabilities import log_probabilities


class Watched(nn.Linear):
    """A head that remembers for how many places it was asked at once."""

    most = 0

    def forward(self, vectors: Tensor) -> Tensor:
        self.most = max(self.most, len(vectors))
        return super().forward(vectors)


def setting(untrained: float) -> tuple[Watched, Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    head, hidden = Watched(6, 19), torch.randn(3, 40, 6, generator=draw)
    labels = torch.randint(19, (3, 40), generator=draw)
    labels[torch.rand(3, 40, generator=draw) < untrained] = -100
    return head, hidden, labels, torch.randn(3, 40, generator=draw)


@pytest.mark.parametrize("chunk", [1, 16, 1000])
@pytest.mark.parametrize("untrained", [0.0, 0.4, 1.0])
def test_values_and_gradients_equal_the_plain_ones(untrained: float, chunk: int) -> None:
    """Whatever weight each place has in the loss."""
    head, hidden, labels, weight = setting(untrained)
    plain_hidden, our_hidden = hidden.clone().requires_grad_(), hidden.clone().requires_grad_()
    plain = head(plain_hidden).log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None])[..., 0] * (labels != -100)
    (plain * weight).sum().backward()
    by_head = [parameter.grad.clone() for parameter in head.parameters()]
    head.zero_grad()
    found = log_probabilities(our_hidden, labels, head, chunk=chunk)
    torch.testing.assert_close(found, plain, atol=1e-6, rtol=1e-6)
    (found * weight).sum().backward()
    torch.testing.assert_close(our_hidden.grad, plain_hidden.grad, atol=1e-6, rtol=1e-5)
    for parameter, before in zip(head.parameters(), by_head, strict=True):
        here = torch.zeros_like(before) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(here, before, atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(log_probabilities(hidden, labels, head, chunk=chunk), plain, atol=1e-6, rtol=1e-6)


def test_logits_are_never_all_there() -> None:
    head, hidden, labels, _ = setting(0.4)
    log_probabilities(hidden.requires_grad_(), labels, head, chunk=16).sum().backward()
    assert head.most == 16
    assert int((labels != -100).sum()) > 48


def test_bfloat16_autocast_stays_close_and_gives_fp32() -> None:
    head, hidden, labels, _ = setting(0.2)
    exact = log_probabilities(hidden, labels, head)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = log_probabilities(hidden.requires_grad_(), labels, head)
    found.sum().backward()
    assert found.dtype == torch.float32
    assert hidden.grad is not None
    torch.testing.assert_close(found, exact, atol=5e-2, rtol=2e-2)  # bfloat16 keeps 8 bits
