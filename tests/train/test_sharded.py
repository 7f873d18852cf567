"""Pieces of tensors: cut on one mesh, put together for any other."""

import pytest
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.exchange.tensors import write
from hornbook.train.sharded import INDEX, Assembled, Piece, cut, describe, file_of, index, owners
from tests.train.ranks import run

WHOLE = {"rows": torch.arange(35.0).view(7, 5), "columns": torch.arange(12.0).view(3, 4), "whole": torch.ones(2)}


def write_pieces(folder):
    """A 2 x 2 mesh: rows cut in both directions, columns in one, one tensor plain, one of a single rank."""
    rank = dist.get_rank()
    mesh = init_device_mesh("cpu", (2, 2))
    tensors = {
        "rows": distribute_tensor(WHOLE["rows"], mesh, [Shard(0), Shard(1)]),
        "columns": distribute_tensor(WHOLE["columns"], mesh, [Replicate(), Shard(1)]),
        "whole": WHOLE["whole"],
    }
    if rank == 3:
        tensors["stage"] = torch.full((2,), 3.0)
    pieces = cut({f"model/{name}": tensor for name, tensor in tensors.items()})
    held = [None] * 4
    dist.all_gather_object(held, [(name, piece.offsets, piece.tensor.nbytes) for name, piece in pieces.items()])
    mine = {name: each for name, each in pieces.items() if owners(held)[name, each.offsets] == rank}
    write({name: each.tensor.contiguous() for name, each in mine.items()}, folder / file_of(rank))
    return describe(mine, file_of(rank))


def test_pieces_of_four_ranks_are_whole_again(tmp_path):
    lines = [line for each in run(4, write_pieces, tmp_path) for line in each]
    assert len(lines) == 4 + 2 + 1 + 1  # what several hold is written once
    write_json(tmp_path / INDEX, index(lines))
    found = Assembled(tmp_path, "model")
    assert set(found) == {*WHOLE, "stage"}
    assert all(torch.equal(found[name], whole) for name, whole in WHOLE.items())
    assert found["stage"].tolist() == [3.0, 3.0]


def test_a_hole_is_named():
    piece = Piece(torch.zeros(2, 3), (4, 3), (0, 0))
    with pytest.raises(UserError, match="model/w has 12 numbers and the ranks hold 6"):
        index(describe({"model/w": piece}, file_of(0)))
