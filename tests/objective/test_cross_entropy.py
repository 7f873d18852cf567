"""The chunked loss against F.cross_entropy, gradients included."""

import math
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.model import native
from hornbook.objective.cross_entropy import cross_entropy, right
from hornbook.objective.language import NextToken


@dataclass
class Output:
    hidden: Tensor
    balance: None = None


@dataclass
class Rows:
    input_ids: Tensor
    labels: Tensor
    next_sentence_labels: Tensor | None = None

    @property
    def inputs(self) -> dict[str, Tensor]:
        return {"input_ids": self.input_ids}


class CappedHead(nn.Module):
    def __init__(self, weight: nn.Parameter) -> None:
        super().__init__()
        self.weight, self.bias = weight, nn.Parameter(torch.randn(len(weight)))

    def forward(self, hidden: Tensor) -> Tensor:
        return 15 * torch.tanh((hidden @ self.weight.T + self.bias) / 15)


class Tiny(nn.Module):
    """The contract of a decoder with a tied, soft-capped head."""

    def __init__(self, vocab: int = 23, dim: int = 8) -> None:
        super().__init__()
        self.table, self.mix = nn.Embedding(vocab, dim), nn.Linear(dim, dim)
        self.head = CappedHead(self.table.weight)

    def forward(self, input_ids: Tensor, *, logits: bool) -> Output:
        assert not logits
        return Output(self.mix(self.table(input_ids)).tanh())


def batch(*, untrained: float, seed: int = 0, rows: int = 3, length: int = 50) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(23, (rows, length + 1), generator=generator)
    labels = ids[:, 1:].clone()
    labels[torch.rand(rows, length, generator=generator) < untrained] = -100
    return Rows(ids[:, :-1], labels)


def gradients(model: nn.Module, loss: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, list(model.parameters())))


@pytest.mark.parametrize("untrained", [0.0, 0.4])
@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_loss_and_gradients_equal_the_plain_ones(untrained: float, chunk: int) -> None:
    torch.manual_seed(0)
    model, rows = Tiny(), batch(untrained=untrained)
    hidden = model(rows.input_ids, logits=False).hidden
    plain = F.cross_entropy(model.head(hidden).flatten(0, 1), rows.labels.flatten(), reduction="sum")
    ours = cross_entropy(hidden, rows.labels, model.head, chunk=chunk)
    assert torch.allclose(ours, plain, rtol=1e-6)
    expected = gradients(model, plain)
    hidden = model(rows.input_ids, logits=False).hidden
    actual = gradients(model, 3 * cross_entropy(hidden, rows.labels, model.head, chunk=chunk))
    for a, b in zip(actual, expected, strict=True):
        assert torch.allclose(a, 3 * b, rtol=1e-5, atol=1e-6 * 3 * float(b.abs().max()))


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_label_smoothing_is_torchs(chunk: int) -> None:
    """Vaswani et al. 2017, section 5.4; the sum, its gradients and the sum without gradients."""
    torch.manual_seed(0)
    model, rows = Tiny(), batch(untrained=0.3)
    hidden = model(rows.input_ids, logits=False).hidden
    logits = model.head(hidden).flatten(0, 1)
    plain = F.cross_entropy(logits, rows.labels.flatten(), reduction="sum", label_smoothing=0.1)
    ours = cross_entropy(hidden, rows.labels, model.head, smoothing=0.1, chunk=chunk)
    assert torch.allclose(ours, plain, rtol=1e-6)
    expected = gradients(model, plain)
    hidden = model(rows.input_ids, logits=False).hidden
    actual = gradients(model, cross_entropy(hidden, rows.labels, model.head, smoothing=0.1, chunk=chunk))
    for a, b in zip(actual, expected, strict=True):
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-6 * float(b.abs().max()))
    with torch.no_grad():
        assert torch.allclose(cross_entropy(hidden, rows.labels, model.head, smoothing=0.1), plain, rtol=1e-6)


def test_label_smoothing_by_hand() -> None:
    """Two tokens with p = 3/4 and 1/4: nine tenths for the right one, and half a tenth for each."""
    head = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[3.0], [1.0]]).log())
    loss = cross_entropy(torch.ones(1, 1), torch.tensor([0]), head, smoothing=0.1)
    assert loss.item() == pytest.approx(-(0.95 * math.log(0.75) + 0.05 * math.log(0.25)))


def test_right_counts_the_likeliest_labels() -> None:
    head = nn.Linear(3, 3, bias=False)
    with torch.no_grad():
        head.weight.copy_(torch.eye(3))
    hidden = torch.eye(3)[torch.tensor([[0, 1, 2, 2]])]
    assert right(hidden, torch.tensor([[0, 1, 1, -100]]), head, chunk=2) == 2


def test_without_gradients_the_loss_is_the_same() -> None:
    torch.manual_seed(0)
    model, rows = Tiny(), batch(untrained=0.2)
    trained = NextToken()(model, rows)
    with torch.inference_mode():
        measured = NextToken()(model, rows)
    assert torch.allclose(trained.sum, measured.sum, rtol=1e-6)
    assert trained.count == measured.count == NextToken().count(rows) == int((rows.labels != -100).sum())


def test_a_frozen_head_and_a_hidden_state_alone() -> None:
    torch.manual_seed(0)
    model, rows = Tiny(), batch(untrained=0.0)
    model.head.requires_grad_(False)
    hidden = torch.randn(3, 50, 8, requires_grad=True)
    cross_entropy(hidden, rows.labels, model.head, chunk=64).backward()
    plain = torch.autograd.grad(
        F.cross_entropy(model.head(hidden).flatten(0, 1), rows.labels.flatten(), reduction="sum"), hidden
    )
    assert torch.allclose(hidden.grad, plain[0], atol=1e-6)


def test_bfloat16_autocast_stays_close() -> None:
    torch.manual_seed(0)
    linear, labels = nn.Linear(16, 40, bias=False), torch.randint(40, (64,))
    hidden = torch.randn(64, 16, requires_grad=True)
    expected = F.cross_entropy(linear(hidden), labels, reduction="sum")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = cross_entropy(hidden, labels, linear)
    ours.backward()
    assert ours.dtype == torch.float32
    assert torch.allclose(ours, expected, rtol=1e-2)  # bfloat16 keeps 8 bits
    assert hidden.grad is not None
    assert linear.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("vocab", [5, 16, 1000])
def test_the_kernel_in_bf16_says_what_fp32_says_of_the_same_logits(smoothing: float, vocab: int) -> None:
    logits, labels = (4 * torch.randn(33, vocab)).bfloat16(), torch.randint(vocab, (33,))
    logits[0, 0] = -torch.inf if not smoothing else -50
    labels[0] = 1
    found = native.cross_entropy(logits, labels, wanted=1 - smoothing, spread=smoothing / vocab)
    if found is None:
        pytest.skip("no C compiler")
    whole = logits.float().requires_grad_()
    loss = F.cross_entropy(whole, labels, reduction="sum", label_smoothing=smoothing)
    loss.backward()
    torch.testing.assert_close(found[0], loss.detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found[1].float(), whole.grad, rtol=2**-8, atol=1e-6)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_logits_that_are_no_numbers_have_a_loss_that_is_none(wrong: float) -> None:
    logits = torch.zeros(2, 40, dtype=torch.bfloat16)
    logits[1, 7] = wrong
    found = native.cross_entropy(logits, torch.tensor([3, 3]), wanted=1.0, spread=0.0)
    assert found is None or found[0].isnan()
