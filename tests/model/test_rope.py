"""Rotary positions: the angles by hand, and what they are for."""

import math

import pytest
import torch

from hornbook.model.position import Place
from hornbook.model.rope import LinearScaling, Llama3Scaling, Rope


def rotated(rope: Rope, vector: torch.Tensor, place: int) -> torch.Tensor:
    position = rope.build(Place(0, 1, vector.shape[-1], 0))
    turns = position.prepare(torch.tensor([[place]]), vector)
    return position.rotate(vector[None, None, None], turns)[0, 0, 0]


def test_two_channels_turn_by_the_position() -> None:
    """At head_dim 2 the one pair turns by one radian per position."""
    found = rotated(Rope(), torch.tensor([1.0, 0.0]), 3)
    torch.testing.assert_close(found, torch.tensor([math.cos(3), math.sin(3)]))


def test_scores_depend_on_the_distance_only() -> None:
    q, k = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    near = [rotated(Rope(), q, place) @ rotated(Rope(), k, place - 4) for place in (4, 9, 1000)]
    assert near[1].item() == pytest.approx(near[0].item(), abs=1e-5)
    assert near[2].item() == pytest.approx(near[0].item(), abs=2e-4)  # angles of 1000 radians in float32


def test_linear_scaling_is_a_slower_clock() -> None:
    q = torch.randn(16, generator=torch.Generator().manual_seed(0))
    slow = Rope(scaling=LinearScaling(factor=4.0))
    torch.testing.assert_close(rotated(slow, q, 12), rotated(Rope(), q, 3))


def test_llama3_scaling_leaves_the_fast_and_divides_the_slow() -> None:
    """Wavelengths under 8192 / 4 are kept, over 8192 / 1 are 8 times as long, between is between."""
    plain, scaled = Rope(base=5e5).rates(128), Rope(base=5e5, scaling=Llama3Scaling()).rates(128)
    waves, ratio = 2 * math.pi / plain, plain / scaled
    torch.testing.assert_close(ratio[waves < 2048], torch.ones(int((waves < 2048).sum())))
    torch.testing.assert_close(ratio[waves > 8192], torch.full((int((waves > 8192).sum()),), 8.0))
    between = ratio[(waves > 2048) & (waves < 8192)]
    assert len(between) > 3
    assert ((between > 1) & (between < 8)).all()


def test_casting_a_model_leaves_the_angles() -> None:
    position = Rope().build(Place(0, 1, 8, 0)).to(torch.bfloat16)
    cos, _ = position.prepare(torch.tensor([[4097]]), torch.zeros(1))
    assert cos[0, 0, 0, 0].item() == pytest.approx(math.cos(4097), abs=1e-6)  # bf16 would make 4096 of it
