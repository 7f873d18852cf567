"""Positions that attention says: a score depends on the distance, not on where the pair stands."""

import typing

import pytest
import torch

from hornbook.model.attention import Attention
from hornbook.model.mask import Sight
from hornbook.model.op import Context
from hornbook.model.positions import Position, Relative
from hornbook.model.stack import Stack


@pytest.mark.parametrize("kind", typing.get_args(Relative), ids=lambda kind: kind.__name__)
@torch.no_grad()
def test_the_same_tokens_further_on_say_the_same(kind: type) -> None:
    stack = Stack(layers=2, layer=(Attention(heads=4, window=3),), position=kind()).build(32, 64)
    generator = torch.Generator().manual_seed(0)
    for parameter in stack.parameters():
        parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    x = torch.randn(1, 1, 32, generator=generator).repeat(1, 6, 1).contiguous()
    x[:, :4] = torch.randn(1, 4, 32, generator=generator)
    twice = torch.cat([x[:, :4], x[:, :4], x[:, :4]], 1)
    answer = stack(twice, Context(stack.position, torch.arange(12)[None], Sight(12), twice))
    torch.testing.assert_close(answer[:, 4:8], answer[:, 8:12])  # two windows of 3 reach back 4 tokens, the same ones


def test_every_position_can_be_a_stacks() -> None:
    assert set(typing.get_args(Relative)) < set(typing.get_args(Position))
