"""RWKV's sums against transformers' loop: values, gradients, states, keys that overflow, documents."""

import pytest
import torch
from torch import Tensor

from hornbook.model.wkv import LOWEST, Spoken, Sums, wkv

rwkv = pytest.importorskip("transformers.models.rwkv.modeling_rwkv")


def some(time: int, loud: float = 1.0) -> tuple[list[Tensor], Spoken]:
    generator = torch.Generator().manual_seed(time)
    key, value = (torch.randn(3, time, 7, generator=generator) for _ in range(2))
    log_fall, bonus = (torch.randn(7, generator=generator) for _ in range(2))
    leaves = [leaf.requires_grad_() for leaf in (loud * key, value, log_fall * 2, bonus)]
    return leaves, Spoken(leaves[0], leaves[1], leaves[2].exp(), leaves[3])


def nothing(batch: int = 3) -> Sums:
    zeros = torch.zeros(batch, 7)
    return Sums(zeros, zeros, torch.full_like(zeros, LOWEST))


@pytest.mark.parametrize("time", [2, 9, 64, 100])
@pytest.mark.parametrize("loud", [1.0, 60.0])  # exp(60 * 3) is far beyond fp32
def test_it_is_the_loop_of_transformers_and_so_are_its_gradients(time: int, loud: float) -> None:
    leaves, spoken = some(time, loud)
    want, state = rwkv.rwkv_linear_attention_cpu(leaves[2], leaves[3], leaves[0], leaves[1], return_state=True)
    found, sums = wkv(spoken, nothing())
    torch.testing.assert_close(found, want, rtol=0, atol=1e-5)
    for ours, theirs in zip((sums.over, sums.under, sums.top), state, strict=True):
        torch.testing.assert_close(ours[:, -1], theirs, rtol=1e-5, atol=1e-5 * loud)
    weight = torch.randn_like(want)
    grads = [torch.autograd.grad((y * weight).sum(), leaves) for y in (found, want)]
    for ours, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * max(1.0, theirs.abs().max().item()))


@torch.no_grad()
def test_a_state_goes_on_and_a_document_starts_anew() -> None:
    _, spoken = some(20, loud=30.0)

    def part(start: int, end: int, before: Sums) -> tuple[Tensor, Sums]:
        y, each = wkv(Spoken(spoken.key[:, start:end], spoken.value[:, start:end], spoken.fall, spoken.bonus), before)
        return y, Sums(each.over[:, -1], each.under[:, -1], each.top[:, -1])

    whole, _ = wkv(spoken, nothing())
    first, after = part(0, 8, nothing())
    torch.testing.assert_close(torch.cat([first, part(8, 20, after)[0]], 1), whole, rtol=0, atol=1e-5)
    fresh = torch.zeros(3, 20, dtype=torch.bool)
    fresh[:, [0, 8]] = True
    packed, _ = wkv(spoken, nothing(), fresh)
    torch.testing.assert_close(packed, torch.cat([first, part(8, 20, nothing())[0]], 1), rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_quiet_document_after_a_loud_one_is_still_heard() -> None:
    """Its weights must not be measured against the loudest key of the document before."""
    key = torch.cat([torch.full((1, 3, 7), 300.0), torch.full((1, 3, 7), -300.0)], 1)
    value, fresh = torch.randn(1, 6, 7), torch.tensor([[True, False, False, True, False, False]])
    y, _ = wkv(Spoken(key, value, torch.full((7,), 0.01), torch.zeros(7)), nothing(1), fresh)
    alone, _ = wkv(Spoken(key[:, 3:], value[:, 3:], torch.full((7,), 0.01), torch.zeros(7)), nothing(1))
    torch.testing.assert_close(y[:, 3:], alone)
