"""Relative positions against the formulas of Shaw et al. as a double loop over places."""

import math

import pytest
import torch
from torch import Tensor

from hornbook.model.attend import Attend
from hornbook.model.shaw import Shaw, ShawAttend

BATCH, HEADS, KV_HEADS, TIME, KEYS, WIDTH = 2, 6, 3, 5, 9, 4


def made(config: Shaw, scale: float | None = None, soft_cap: float | None = None) -> ShawAttend:
    attend = ShawAttend(Attend(scale, soft_cap, 0.0), WIDTH, config)
    with torch.no_grad():
        for parameter in attend.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(3))
    return attend


def by_hand(attend: ShawAttend, q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    """Equations 3 and 4, pair by pair; the queries are the last of the keys."""
    answer, far = torch.zeros_like(q), attend.distance
    for row, head, i in [(b, h, i) for b in range(BATCH) for h in range(HEADS) for i in range(TIME)]:
        place, served = KEYS - TIME + i, head // (HEADS // KV_HEADS)
        scores, said = [], []
        for j in range(KEYS):
            kind = max(-far, min(far, j - place)) + far
            score = q[row, head, i] @ (k[row, served, j] + attend.keys.weight[kind])
            scores.append(score * (attend.scale or 1 / math.sqrt(WIDTH)))
            said.append(v[row, served, j] + (attend.values.weight[kind] if attend.values is not None else 0))
        score = torch.stack(scores)
        if attend.soft_cap is not None:
            score = attend.soft_cap * torch.tanh(score / attend.soft_cap)
        weights = score.masked_fill(~seen[i], float("-inf")).softmax(-1)
        answer[row, head, i] = sum(weight * vector for weight, vector in zip(weights, said, strict=True))
    return answer


@pytest.mark.parametrize("values", [True, False])
@pytest.mark.parametrize("distance", [2, 30])
@pytest.mark.parametrize(("scale", "soft_cap"), [(None, None), (0.7, 3.0)])
@torch.no_grad()
def test_it_is_the_double_loop(values: bool, distance: int, scale: float | None, soft_cap: float | None) -> None:
    attend = made(Shaw(distance=distance, values=values), scale, soft_cap)
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(BATCH, HEADS, TIME, WIDTH, generator=generator)
    k, v = torch.randn(2, BATCH, KV_HEADS, KEYS, WIDTH, generator=generator)
    seen = torch.ones(TIME, KEYS, dtype=torch.bool).tril(KEYS - TIME)
    torch.testing.assert_close(attend(q, k, v, seen), by_hand(attend, q, k, v, seen), rtol=0, atol=1e-5)


@torch.no_grad()
def test_without_vectors_it_is_plain_attention() -> None:
    attend = made(Shaw(distance=3))
    for parameter in attend.parameters():
        parameter.zero_()
    q, k, v = torch.randn(3, 1, 2, 7, WIDTH, generator=torch.Generator().manual_seed(0))
    plain = Attend(None, None, 0.0)(q, k, v, None, causal=True)
    torch.testing.assert_close(attend(q, k, v, None, causal=True), plain)


def test_no_distance_is_refused() -> None:
    with pytest.raises(ValueError, match="distance: 0 tells no neighbours apart"):
        Shaw(distance=0)
