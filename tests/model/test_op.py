"""States: what is changed in them, what has a row for each text, and how it says that it grows."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from hornbook.model.op import STILL, Grows, State, change_each, choose_rows
from tests.generate.speaking import DECODERS, module


@dataclass
class Part:
    """Something of every kind that a sublayer may keep."""

    columns: Tensor = field(metadata={"grows": Grows("columns", 1)})
    pairs: list[tuple[Tensor, Tensor]] = field(metadata={"grows": Grows("steps", 1)})
    plain: Tensor
    table: Tensor = field(metadata={"per_row": False})
    found: Tensor | None = None
    count: int = 3


def part() -> Part:
    one = torch.arange(12.0).view(3, 4)
    return Part(one, [(one + 100, one + 200)], one[:, 0], one)


def test_every_tensor_of_a_row_is_changed_and_told_how_it_grows() -> None:
    seen: list[tuple[Grows, float]] = []

    def change(grows: Grows, tensor: Tensor) -> Tensor:
        seen.append((grows, float(tensor.flatten()[0])))
        return tensor + 1

    before = part()
    after = change_each(change, State([[before, None]], 9, 4))
    assert seen == [(Grows("columns", 1), 0), (Grows("steps", 1), 100), (Grows("steps", 1), 200), (STILL, 0)]
    changed = after.layers[0][0]
    assert torch.equal(changed.pairs[0][1], before.pairs[0][1] + 1)
    assert changed.table is before.table
    assert (after.layers[0][1], changed.found, changed.count, after.capacity, after.length) == (None, None, 3, 9, 4)
    assert torch.equal(before.plain, part().plain), "what was given stays as it is"


def test_what_stands_in_the_same_place_of_other_states_is_given_too() -> None:
    added = change_each(lambda _, one, other: one + other, [part(), part()], [part(), part()])
    assert torch.equal(added[1].pairs[0][0], 2 * part().pairs[0][0])


def test_rows_are_chosen_left_out_and_doubled() -> None:
    chosen = choose_rows(part(), torch.tensor([2, 0, 2]))
    assert chosen.plain.tolist() == [8, 0, 8]
    assert chosen.columns[1].tolist() == [0, 1, 2, 3]
    assert chosen.pairs[0][0][0].tolist() == [108, 109, 110, 111]
    assert chosen.table.shape == (3, 4)


@pytest.mark.parametrize("name", DECODERS)
def test_states_of_all_models_tell_the_truth(name: str) -> None:
    """With room for more tokens the dimension that grows is larger, all others are alike; the first is the rows."""
    model = module(name)
    small, large = model.new_state(2, 5), model.new_state(3, 9)  # type: ignore[union-attr]

    def check(grows: Grows, one: Tensor, other: Tensor) -> Tensor:
        sizes: list[Any] = list(one.shape)
        sizes[0] += 1
        if grows.by is not None:
            assert one.shape[grows.dim] == 5
            sizes[grows.dim] += 4
        assert list(other.shape) == sizes
        return one

    change_each(check, small.layers, large.layers)
