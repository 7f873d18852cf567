"""Two processes train as one does: the same losses, the same weights up to the order of additions, on every rank."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hornbook.core.machine import physical_cores
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
    return load_file(sorted((folder / "checkpoints").iterdir())[-1] / "model.safetensors")


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
