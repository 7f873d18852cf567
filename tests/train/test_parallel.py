"""Two processes train as one does: the same losses, the same weights up to the order of additions, on every rank."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hornbook.core.machine import physical_cores
from hornbook.train import checkpoint
from hornbook.train.parallel import Ranks, processes_here

SCRIPT = """
import sys
from pathlib import Path
from hornbook.core.run import Run
from hornbook.optim.muon import Muon
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.train.parallel import ranks
from tests.train.doubles import Counting, Ears, job

config = Train(steps=6, tokens_per_step=40, save_every=3, optimizer=Muon(), **eval(sys.argv[2]))
with ranks(1, []) as joined:
    Trainer(config, job(validation=Counting(seed=8)), Run(Path(sys.argv[1])), listener=Ears(), ranks=joined).fit()
"""


def launch(folder: Path, world: int, more: str = "{}") -> None:
    root = Path(__file__).parents[2]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29617", "WORLD_SIZE": str(world), "PYTHONPATH": str(root)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder), more],
            env={
                **os.environ,
                **(place if world > 1 else {"PYTHONPATH": str(root)}),
                **({"RANK": str(rank)} if world > 1 else {}),
            },
        )
        for rank in range(world)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0] * world


def rows(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def weights(folder):
    snapshot = checkpoint.latest(folder / "checkpoints", pytest.fail)
    assert snapshot is not None
    return snapshot.model


def test_two_processes_are_one(tmp_path):
    launch(tmp_path / "one", 1)
    launch(tmp_path / "two", 2)
    for a, b in zip(rows(tmp_path / "one"), rows(tmp_path / "two"), strict=True):
        for key in ("step", "tokens", "loss", "validation_loss", "lr"):
            assert a.get(key, 0) == pytest.approx(b.get(key, 0), rel=1e-5), (key, a, b)
    ours, theirs = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], atol=1e-5, rtol=1e-4)


def test_the_shares_of_a_step_are_all_of_its_rows():
    for world in (1, 2, 3, 5):
        read = [row for rank in range(world) for row in Ranks(rank, world).share(7, 11)]
        assert read == list(range(7, 18))


def test_how_many_processes_a_machine_gets():
    assert processes_here(3) == 3
    assert processes_here("auto") == min(2, physical_cores())  # without a GPU


@pytest.mark.slow
def test_torchrun_from_files_to_a_model_and_again(tmp_path):
    """The first process makes corpus and tokens while the other waits; a second time there is nothing to do."""
    recipe = ["tiny/pretrain", "pretrain.steps=4", "pretrain.mesh={shard: 2}", "--run", str(tmp_path / "run")]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29623"]
    for said in ("2 processes of 1 thread", "pretrain   unchanged"):
        done = subprocess.run(
            [*command, "-m", "--", "hornbook", "train", *recipe], capture_output=True, text=True, timeout=280
        )
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
