"""Our causal attention is PyTorch's, forwards and backwards, for every shape it takes."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hornbook.model import causal, native

needs_kernels = pytest.mark.skipif(not native.there(), reason="no C compiler")
SHAPES = [  # rows, heads, kv_heads, tokens, channels
    (2, 4, 2, 50, 32),
    (1, 3, 3, 7, 16),
    (2, 2, 1, 200, 64),
    (1, 2, 2, 97, 128),
    (1, 1, 1, 49, 48),
    (1, 4, 4, 2, 80),
    (3, 1, 1, 48, 16),
    (1, 2, 2, 129, 96),
]


def heads(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """q, k, v and what the answer is told, as SelfAttention has them: the heads of a token beside each other."""
    rows, many, few, tokens, channels = shape
    draws = torch.Generator().manual_seed(sum(shape))
    each = [torch.randn(rows, tokens, n, channels, generator=draws) for n in (many, few, few, many)]
    return [one.to(dtype).transpose(1, 2) for one in each]


def gradients(function, q: Tensor, k: Tensor, v: Tensor, told: Tensor) -> tuple[Tensor, ...]:
    learned = [each.detach().requires_grad_() for each in (q, k, v)]
    answer = function(*learned)
    return answer.detach(), *torch.autograd.grad(answer, learned, told)


def ours(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return causal.attention(q, k, v, 1 / math.sqrt(q.shape[-1]))


def theirs(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=q.shape[1] != k.shape[1])


@needs_kernels
@pytest.mark.parametrize("shape", SHAPES)
def test_in_fp32_it_is_that_of_torch(shape) -> None:
    inputs = heads(shape)
    for found, expected in zip(gradients(ours, *inputs), gradients(theirs, *inputs), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@needs_kernels
@pytest.mark.parametrize("shape", SHAPES)
def test_in_bf16_it_is_nearer_to_exact_numbers_than_torch(shape) -> None:
    inputs = heads(shape, torch.bfloat16)
    exact = gradients(theirs, *(each.double() for each in inputs))
    for found, other, right in zip(gradients(ours, *inputs), gradients(theirs, *inputs), exact, strict=True):
        assert (found - right).norm() <= 1.1 * (other - right).norm()


@needs_kernels
def test_two_threads_find_what_one_finds(monkeypatch) -> None:
    inputs = heads(SHAPES[0])
    alone = gradients(ours, *inputs)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert all(torch.equal(a, b) for a, b in zip(gradients(ours, *inputs), alone, strict=True))


@needs_kernels
def test_scores_far_apart_and_what_is_no_number() -> None:
    q, k, v, told = heads((1, 1, 1, 70, 32))
    apart = 10 * q, 10 * k, v, told
    exact = gradients(theirs, *(each.double() for each in apart))
    for found, other, right in zip(gradients(ours, *apart), gradients(theirs, *apart), exact, strict=True):
        assert (found - right).norm() <= 4 * (other - right).norm() + 1e-5 * right.norm()
    v[0, 0, 40, 3] = math.nan
    answer = ours(q, k, v)
    assert answer[0, 0, :36].isfinite().all()  # six queries are computed together
    assert answer[0, 0, 40:, 3].isnan().all()


@needs_kernels
def test_under_autocast_it_is_in_bf16() -> None:
    q, k, v, _ = heads(SHAPES[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(q, k, v.bfloat16()).dtype == torch.bfloat16


def test_what_it_does_not_take_is_left_to_torch(monkeypatch) -> None:
    monkeypatch.setattr(native, "there", lambda: True)
    q, k, v, _ = heads((1, 2, 2, 100, 32))
    assert causal.fits(q, k, v)
    assert not causal.fits(q[:, :, :1], k, v)  # one token that goes on
    assert not causal.fits(q[..., :20], k[..., :20], v[..., :20])
    assert not causal.fits(q.double(), k.double(), v.double())
    assert not causal.fits(q, k, v[..., :16])
    monkeypatch.setattr(native, "there", lambda: False)
    assert not causal.fits(q, k, v)
