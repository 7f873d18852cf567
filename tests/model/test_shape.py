"""What all shapes share: positions, sight, tied parameters."""

import pytest
import torch
from torch import nn

from hornbook.model.op import State
from hornbook.model.shape import ModelBase, ModelOutput, look, positions_of


class Twins(ModelBase):
    def __init__(self) -> None:
        super().__init__(None)
        self.first, self.second = nn.Linear(2, 3), nn.Sequential(nn.Linear(2, 3))

    def shared(self) -> dict[str, str]:
        return {"second.0.weight": "first.weight"}


def test_shared_parameters_are_one() -> None:
    model = Twins()
    model.tie()
    assert model.second[0].weight is model.first.weight
    assert len(list(model.parameters())) == 3


def test_positions_skip_padding_and_start_again_with_each_document() -> None:
    mask = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 0]])
    assert positions_of(look(4, mask), mask.device, None).tolist() == [[0, 0, 0, 1], [0, 1, 2, 2]]
    documents = torch.tensor([[3, 3, 4, 4]])
    assert positions_of(look(4, None, documents), mask.device, None).tolist() == [[0, 1, 0, 1]]
    later = State([], capacity=6, length=3)
    assert positions_of(look(2, None, state=later), mask.device, None).tolist() == [[3, 4]]


def test_what_does_not_fit_is_refused() -> None:
    full = State([], capacity=4, length=3)
    with pytest.raises(ValueError, match="5 tokens do not fit a state made for 4"):
        look(2, None, state=full)
    with pytest.raises(ValueError, match="tells of 3 tokens, there are 4; tell of all"):
        look(4, torch.ones(2, 3))
    with pytest.raises(ValueError, match="packed rows cannot go on from a state"):
        look(1, None, torch.zeros(1, 1), full)
    with pytest.raises(ValueError, match="9 tokens are more than the 8 positions"):
        positions_of(look(9, None), torch.device("cpu"), 8)


def test_logits_that_were_not_asked_for_are_not_there() -> None:
    with pytest.raises(AssertionError, match="logits=False"):
        _ = ModelOutput(torch.zeros(1, 1, 2)).logits
