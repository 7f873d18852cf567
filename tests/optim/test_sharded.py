"""Pieces of parameters: the same memory, put together again, and work on whole ones shared among ranks."""

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from hornbook.optim.sharded import by_owners, hand_over, own_piece, parameter_piece, shared_like
from tests.train.ranks import run


def shared(rows: int = 5) -> tuple[nn.Parameter, torch.Tensor]:
    whole = torch.arange(3.0 * rows).reshape(rows, 3)
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    return nn.Parameter(distribute_tensor(whole, mesh, [Shard(0)])), whole


def moved() -> torch.Tensor:
    parameter, whole = shared()
    parameter.grad = distribute_tensor(torch.ones_like(whole), parameter.device_mesh, [Shard(0)])  # type: ignore[attr-defined]
    hand_over([parameter])
    piece = parameter_piece(parameter)
    assert piece is parameter_piece(parameter)
    assert piece.grad is not None
    with torch.no_grad():
        piece -= piece.grad
    return parameter.full_tensor().detach()  # type: ignore[attr-defined]


def test_a_piece_is_the_parameters_memory():
    for found in run(2, moved):
        torch.testing.assert_close(found, torch.arange(15.0).reshape(5, 3) - 1)


def round_trip() -> bool:
    parameter, whole = shared()
    local = own_piece(whole, parameter)
    again = shared_like(local, parameter)
    assert own_piece(again, parameter) is not whole
    return bool((again.full_tensor() == whole).all())  # type: ignore[attr-defined]


def test_pieces_and_the_whole():
    assert run(2, round_trip) == [True, True]


def test_a_plain_parameter_is_its_own_piece():
    parameter = nn.Parameter(torch.ones(2))
    assert parameter_piece(parameter) is parameter
    assert shared_like(parameter, parameter) is parameter


def worked() -> tuple[list[str], torch.Tensor]:
    (a, whole), (b, _), seen = shared(), shared(4), []

    def work(name: str, found: torch.Tensor) -> torch.Tensor:
        seen.append(name)
        return (10 * found.mT).mT  # lies as its transpose does

    answers = by_owners({n: p.to_local().detach() for n, p in (("a", a), ("b", b))}, {"a": a, "b": b}, work)  # type: ignore[attr-defined]
    assert answers["b"].shape[0] == 2
    return seen, shared_like(answers["a"], a).full_tensor() - 10 * whole  # type: ignore[attr-defined]


def test_each_matrix_is_worked_on_once():
    (first, error), (second, _) = run(2, worked)
    assert (first, second) == (["a"], ["b"])
    assert float(error.abs().max()) == pytest.approx(0)
