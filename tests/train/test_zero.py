"""ZeRO in its three stages: the losses of one process, and 1/N of the optimizer's bytes on each of N ranks."""

import shutil
from pathlib import Path

import pytest
from torch.distributed.tensor import DTensor

from hornbook.optim.muon import Muon
from hornbook.train.mesh import Mesh
from tests.train.laid_out import KINDS, alone, farthest, still, together, trainer
from tests.train.ranks import run

CLOSE = 1e-5


@pytest.mark.parametrize(("kind", "zero"), [("gpt2", 1), ("bert", 2), ("llama", 3), ("t5", 3)])
def test_the_losses_of_one_process(kind, zero):
    assert farthest(alone(kind, steps=12), together(2, kind, Mesh(shard=2, zero=zero), steps=12)) < CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zero", [1, 2, 3])
@pytest.mark.parametrize("mesh", [{"shard": 2}, {"shard": 4}, {"data": 2, "shard": 2}], ids=str)
def test_every_stage_of_every_model(kind, zero, mesh):
    world = mesh["shard"] * mesh.get("data", 1)
    assert farthest(alone(kind), together(world, kind, Mesh(**mesh, zero=zero))) < CLOSE


def test_muon_makes_whole_matrices_orthogonal():
    more = {"optimizer": Muon(), "steps": 12}
    assert farthest(alone("llama", **more), together(2, "llama", Mesh(shard=2), **more)) < CLOSE


def bytes_of_states(folder: Path, optimizer: object) -> int:
    whole = trainer("gpt2", Mesh(shard=4), folder, {"optimizer": optimizer, "steps": 1})
    whole.fit()
    states = whole.optimizer.state_tensors().values()
    return sum(each.to_local().nbytes if isinstance(each, DTensor) else each.nbytes for each in states)


def test_bytes_of_the_optimizer(tmp_path):
    """Two moments a parameter, cut in four; rows that do not divide by four make a rank's share a little more."""
    ideal = 8 * sum(parameter.numel() for parameter in still("gpt2").parameters()) / 4
    assert max(run(4, bytes_of_states, tmp_path, Muon().adam)) < 1.1 * ideal
    assert max(run(4, bytes_of_states, tmp_path / "muon", Muon())) < 0.75 * ideal  # one moment a matrix


def losses(folder: Path, mesh: Mesh) -> list[float]:
    whole = trainer("llama", mesh, folder, {"steps": 14, "optimizer": Muon()})
    whole.fit()
    return [row["loss"] for row in whole.listener.steps]  # type: ignore[attr-defined]


def test_a_checkpoint_of_pieces_goes_on(tmp_path):
    """From step 10, on as many ranks or on twice as many."""
    whole = run(2, losses, tmp_path, Mesh(shard=2))[0]
    for ranks in (2, 4):
        shutil.rmtree(tmp_path / "checkpoints" / "step-00000014")
        assert run(ranks, losses, tmp_path, Mesh(shard=ranks))[0] == pytest.approx(whole[10:], abs=1e-5)
