"""Ranks that share a layer's matrices train as one process does, and who cannot share is told why."""

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.model.models import Model
from hornbook.optim.muon import Muon
from hornbook.train.mesh import Mesh
from hornbook.train.tensor import share_layers
from tests.train.laid_out import KINDS, alone, farthest, still, together
from tests.train.ranks import run

CLOSE = 1e-5


@pytest.mark.parametrize(("kind", "sequence"), [("gpt2", True), ("llama", False), ("bert", True)])
def test_the_losses_of_one_process(kind, sequence):
    mesh = Mesh(tensor=2, sequence=sequence)
    assert farthest(alone(kind, steps=12), together(2, kind, mesh, steps=12)) < CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*KINDS, "mixtral"])
@pytest.mark.parametrize(
    ("world", "mesh"),
    [
        (2, Mesh(tensor=2)),
        (2, Mesh(tensor=2, sequence=False)),
        (4, Mesh(tensor=2, data=2)),
        (4, Mesh(tensor=2, shard=2, zero=1)),
        (4, Mesh(tensor=2, shard=2, zero=3)),
        (8, Mesh(tensor=2, shard=2, data=2)),
    ],
    ids=str,
)
def test_every_mesh_of_every_model(kind, world, mesh):
    if kind == "mixtral" and mesh.shard > 1:
        pytest.skip("is refused (test_layout.py)")
    assert farthest(alone(kind), together(world, kind, mesh)) < CLOSE


def test_pieces_of_pieces_and_rows_for_our_own_kernel():
    """Weights shared twice over, by Muon; 96 tokens are enough for attention.c."""
    more = {"steps": 12, "length": 96, "optimizer": Muon(), "rows_per_step": 4}
    assert farthest(alone("llama", **more), together(4, "llama", Mesh(tensor=2, shard=2), **more)) < CLOSE


def refused(name: str, sequence: bool = True, **changes) -> str:
    mesh = Mesh(tensor=torch.distributed.get_world_size()).build(torch.distributed.get_world_size(), "cpu")
    model = recipe.load(Model, f"models/{name}").build()
    try:
        share_layers(model, mesh["tensor"], sequence=sequence)
        model(torch.zeros(1, 15, dtype=torch.long))
    except UserError as error:
        return str(error)
    return ""


def test_who_cannot_share():
    assert "4 ranks cannot share kv_heads: 2; take a divisor of 2" in run(4, refused, "llama-tiny")[0]
    assert "mesh.sequence: rows of 15 tokens are not shared by 2 ranks alike" in run(2, refused, "gpt2-tiny")[1]
    assert run(2, refused, "gpt2-tiny", False) == ["", ""]
    assert "has no plan by which ranks share it; set tensor: 1" in run(2, refused, "mamba-tiny")[0]


def pieces() -> dict[str, tuple[int, ...]]:
    model = still("gpt2")
    share_layers(model, Mesh(tensor=2).build(2, "cpu")["tensor"], sequence=True)
    return {name: tuple(each.to_local().shape) for name, each in model.named_parameters() if hasattr(each, "to_local")}


def test_half_of_every_matrix_is_here():
    here, whole = run(2, pieces)[0], {name: each.shape for name, each in still("gpt2").named_parameters()}
    assert here["stack.layers.0.0.op.query.weight"] == (24, 48)
    assert here["stack.layers.0.1.op.output.weight"] == (48, 96)
    assert here["embed.table.weight"] == (66, 48)
    assert {name for name in whole if name.endswith("weight") and "norm" not in name} - here.keys() == {
        "stack.position.table.weight"
    }
