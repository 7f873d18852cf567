"""Positions: learned ones, and how places in a row are counted."""

import torch

from hornbook.model.op import count_positions, document_positions
from hornbook.model.position import Learned, Place


def test_learned_positions_begin_after_the_offset() -> None:
    position = Learned(offset=2).build(Place(4, 1, 4, 5))
    table = torch.arange(28.0).view(7, 4)
    position.table.weight.data.copy_(table)
    torch.testing.assert_close(position.add(torch.zeros(1, 2, 4), torch.tensor([[0, 4]]))[0], table[[2, 6]])


def test_counting() -> None:
    real = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 0]]).bool()
    assert count_positions(real).tolist() == [[0, 0, 0, 1], [0, 1, 2, 2]]
    assert document_positions(torch.tensor([[7, 7, 7, 9, 9], [1, 2, 2, 1, 1]])).tolist() == [
        [0, 1, 2, 0, 1],
        [0, 0, 1, 0, 1],
    ]
