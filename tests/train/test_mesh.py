"""The mesh: which sizes divide the processes, and that every rank stands where the axes say."""

import pytest
import torch.distributed as dist

from hornbook.core.errors import RecipeError, UserError
from hornbook.train.mesh import AXES, Mesh
from tests.train.ranks import run


def test_what_is_left_is_data():
    assert Mesh(tensor=2).sizes(8) == {"pipeline": 1, "data": 4, "shard": 1, "context": 1, "tensor": 2}
    assert Mesh(data=2, shard=2, pipeline=2).sizes(8)["data"] == 2


@pytest.mark.parametrize(
    ("mesh", "world", "says"),
    [
        (Mesh(tensor=3), 4, "mesh: tensor 3 does not divide 4 processes; start 3"),
        (Mesh(data=2, shard=2), 8, "mesh: data 2 x shard 2 does not divide 8 processes; start 4"),
        (Mesh(pipeline=4), 2, "mesh: pipeline 4 does not divide 2 processes; start 4"),
        (Mesh(expert=3), 4, "mesh: expert 3 does not divide data x shard, 4 ranks"),
    ],
)
def test_a_world_that_does_not_fit(mesh, world, says):
    with pytest.raises(UserError, match=says):
        mesh.sizes(world)


def test_no_rank_at_all():
    with pytest.raises(RecipeError, match="shard: 0 ranks cannot be"):
        Mesh(shard=0)


def coordinate():
    mesh = Mesh(data=2, tensor=2).build(4, "cpu")
    assert mesh.mesh_dim_names == AXES
    return [mesh.get_local_rank(axis) for axis in ("data", "tensor")], dist.get_rank()


def test_neighbours_share_a_layer():
    assert run(4, coordinate) == [([0, 0], 0), ([0, 1], 1), ([1, 0], 2), ([1, 1], 3)]


def broken():
    if dist.get_rank() == 1:
        raise ValueError("on purpose")


def test_a_rank_that_fails_is_named():
    with pytest.raises(AssertionError, match=r"rank 1: [\s\S]*on purpose"):
        run(2, broken)
