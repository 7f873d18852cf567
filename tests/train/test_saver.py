"""Checkpoints that ranks write together: in the background, whole or not there, on as many ranks as one likes after."""

import errno
import os
import time

import pytest
import torch
import torch.distributed as dist

from hornbook.core.errors import UserError
from hornbook.core.files import sha256
from hornbook.train import checkpoint, saver
from hornbook.train.mesh import Mesh
from hornbook.train.parallel import Ranks
from hornbook.train.saver import Saver
from tests.train.laid_out import trainer
from tests.train.ranks import run


def ranks() -> Ranks:
    return Ranks(dist.get_rank(), dist.get_world_size())


def kinds(value: float) -> saver.Kinds:
    own = f"stage{dist.get_rank()}"
    return {"model": {"w": torch.full((4,), value), own: torch.full((2,), value)}, "optimizer": {"w/m": torch.ones(4)}}


def save_twice(folder):
    writer = Saver(folder, ranks(), keep=1)
    given = kinds(1.0)
    writer.begin(1, given, {"step": 1})
    given["model"]["w"].fill_(9.0)  # training goes on
    writer.begin(2, kinds(2.0), {"step": 2})
    writer.wait()


def test_every_rank_writes_its_own_and_the_newest_stays(tmp_path):
    run(3, save_twice, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000002"]
    found = checkpoint.latest(tmp_path, pytest.fail)
    assert found is not None
    assert {name: tensor[0].item() for name, tensor in found.model.items()} == {
        "w": 2, "stage0": 2, "stage1": 2, "stage2": 2
    }  # fmt: skip
    assert found.state == {"step": 2}


def save_slowly(folder):
    write = saver.write
    saver.write = lambda *args: (time.sleep(0.5), write(*args))
    writer, given = Saver(folder, ranks(), keep=1), kinds(1.0)
    began = time.monotonic()
    writer.begin(1, given, {})
    stalled = time.monotonic() - began
    given["model"]["w"].fill_(9.0)
    writer.wait()
    return stalled, time.monotonic() - began


def test_what_is_saved_is_what_was_there_while_the_training_goes_on(tmp_path):
    for stalled, took in run(2, save_slowly, tmp_path):
        assert stalled < 0.5 <= took
    found = checkpoint.latest(tmp_path, pytest.fail)
    assert found is not None
    assert found.model["w"].tolist() == [1.0] * 4


def no_space(folder):
    writer = Saver(folder, ranks(), keep=2)
    writer.begin(1, kinds(1.0), {})
    writer.wait()
    if dist.get_rank() == 1:

        def full(_tensors, path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        saver.write = full
    writer.begin(2, kinds(2.0), {})
    try:
        writer.wait()
    except UserError as error:
        return str(error)


def test_no_space_on_one_rank_is_said_by_all_and_nothing_is_half_written(tmp_path):
    for said in run(3, no_space, tmp_path):
        assert said.startswith("rank 1: ")
        assert "no space left on this disk; free some and run the same command again" in said
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert checkpoint.damage(tmp_path / "step-00000001") is None


def one_is_silent(folder):
    writer = Saver(folder, ranks(), keep=2, seconds=0.5)
    if dist.get_rank() == 1:
        writer._write_part = lambda *_: time.sleep(3)
    writer.begin(7, kinds(1.0), {})
    try:
        writer.wait()
    except UserError as error:
        return str(error)


def test_a_rank_that_writes_nothing_is_named_in_time(tmp_path):
    assert "rank 1: wrote nothing of step 7 in 0.5 seconds" in run(2, one_is_silent, tmp_path)[0]
    assert list(tmp_path.glob("step-*")) == []


def test_a_missing_shard_is_named_and_the_checkpoint_before_is_used(tmp_path):
    run(2, save_both, tmp_path)
    (tmp_path / "step-00000002" / "rank-00001.safetensors").unlink()
    notes: list[str] = []
    found = checkpoint.latest(tmp_path, notes.append)
    assert "rank-00001.safetensors is missing" in notes[0]
    assert found is not None
    assert found.state == {"step": 1}


def save_both(folder):
    writer = Saver(folder, ranks(), keep=2)
    for step in (1, 2):
        writer.begin(step, kinds(step), {"step": step})
    writer.wait()


def losses(folder, mesh):
    whole = trainer("llama", mesh, folder, {"steps": 14})
    whole.fit()
    return [row["loss"] for row in whole.listener.steps]  # type: ignore[attr-defined]


def files(path):
    return {each.name: sha256(each) for each in path.glob("rank-*")}


@pytest.mark.parametrize("world", [pytest.param(1, id="alone"), 2, pytest.param(8, marks=pytest.mark.slow)])
def test_saved_on_four_ranks_goes_on_with_others(tmp_path, world):
    whole = run(4, losses, tmp_path, Mesh(data=2, shard=2))[0]
    (tmp_path / "checkpoints" / "step-00000014").rename(tmp_path / "end")
    found = run(world, losses, tmp_path, Mesh(shard=world))[0]
    assert found == pytest.approx(whole[10:], abs=1e-5)


def test_on_the_same_mesh_the_same_bytes(tmp_path):
    run(4, losses, tmp_path, Mesh(data=2, shard=2))
    end = tmp_path / "checkpoints" / "step-00000014"
    end.rename(tmp_path / "end")
    run(4, losses, tmp_path, Mesh(data=2, shard=2))
    ours, theirs = checkpoint.read(end), checkpoint.read(tmp_path / "end")
    for kind in ("model", "optimizer"):
        one, other = getattr(ours, kind), getattr(theirs, kind)
        assert [name for name in one if not torch.equal(one[name], other[name])] == []
    assert len(files(end)) == 4
    assert files(end) == files(tmp_path / "end")
