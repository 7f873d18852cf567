"""Two processes that tune on packed conversations of unequal lengths are one: loss, gradients and weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hornbook.data.inputs import Conversations
from hornbook.optim.muon import Muon
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.train.parallel import ranks
from hornbook.tune.instruct import Instruct
from tests.train.doubles import Ears
from tests.tune.doubles import place_at

STEP = 5  # rows: one process reads 2 of them, the other 3
SCRIPT = "import sys; from tests.tune.test_instruct_parallel import tune; tune(*sys.argv[1:])"


def tune(folder: str, base: str, rows: str) -> None:
    """What every process does: look at the gradient of the first step, then train."""
    with ranks(1, []) as joined:
        place = place_at(Path(folder), Path(base), ranks=joined)
        train = Train(steps=4, rows_per_step=STEP, micro_batch=2, optimizer=Muon(), validate_every=2, save_every=4)
        stage = Instruct(data=Conversations(source=rows), template="plain", length=96, train=train)
        job = stage.job(place)
        trainer = Trainer(train, job, place.run, listener=Ears(), ranks=joined)
        found = trainer._gradient(0, STEP)
        joined.sum_gradients(job.model.parameters())
        count = found.over(joined.sum).count
        if joined.first:
            place.run.folder.mkdir(parents=True)
            gradients = {
                name: each.grad / count for name, each in job.model.named_parameters() if each.grad is not None
            }
            save_file(gradients, place.run.folder / "gradients.safetensors")
        trainer.optimizer.zero_grad()
        trainer.fit()


def launch(world: int, *arguments: Path) -> None:
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29731", "WORLD_SIZE": str(world)} if world > 1 else {}
    root = str(Path(__file__).parents[2])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *map(str, arguments)],
            env={**os.environ, **place, "PYTHONPATH": root, **({"RANK": str(rank)} if world > 1 else {})},
        )
        for rank in range(world)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0] * world


@pytest.mark.slow
def test_two_processes_are_one(tiny_base: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    talks = [{"instruction": f"Count to {n}.", "output": ", ".join(map(str, range(1, n + 1)))} for n in range(1, 31)]
    rows.write_text("".join(json.dumps(talk) + "\n" for talk in talks))
    for world in (1, 2):
        launch(world, tmp_path / str(world), tiny_base, rows)
    one, two = ([json.loads(line) for line in (tmp_path / w / "metrics.jsonl").read_text().splitlines()] for w in "12")
    assert [row.get("loss", row.get("validation_loss")) for row in one] == pytest.approx(
        [row.get("loss", row.get("validation_loss")) for row in two], rel=1e-6
    )
    ours, theirs = (load_file(tmp_path / w / "gradients.safetensors") for w in "12")
    assert any(gradient.abs().max() > 1e-3 for gradient in ours.values())
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], atol=1e-6, rtol=0)
    ours, theirs = (load_file(next((tmp_path / w / "checkpoints").glob("*4")) / "model.safetensors") for w in "12")
    for name, weight in ours.items():  # AdamW divides the last bit of a gradient by its own size
        torch.testing.assert_close(weight, theirs[name], atol=5e-5, rtol=0)
