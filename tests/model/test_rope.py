"""Rotary positions: the angles by hand, and what they are for."""

import math

import pytest
import torch

from hornbook.model.position import Place
from hornbook.model.rope import Rope


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


def test_a_share_of_the_channels_turns_as_a_narrower_head_would() -> None:
    vector = torch.randn(20, generator=torch.Generator().manual_seed(0))
    found = rotated(Rope(share=0.4), vector, 7)
    torch.testing.assert_close(found[:8], rotated(Rope(), vector[:8], 7))
    assert torch.equal(found[8:], vector[8:])


@pytest.mark.parametrize(("share", "message"), [(0.0, "share: 0.0"), (1.5, "share: 1.5"), (0.05, "0 of 10 channels")])
def test_shares_that_cannot_turn_are_refused(share: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rope(share=share).build(Place(0, 1, 10, 0))


def test_casting_a_model_leaves_the_angles() -> None:
    position = Rope().build(Place(0, 1, 8, 0)).to(torch.bfloat16)
    cos, _ = position.prepare(torch.tensor([[4097]]), torch.zeros(1))
    assert cos[0, 0, 0, 0].item() == pytest.approx(math.cos(4097), abs=1e-6)  # bf16 would make 4096 of it
