"""Checkpoints come back bit for bit; what is damaged is named and passed over."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from hornbook.core.errors import UserError
from hornbook.train import checkpoint
from hornbook.train.checkpoint import Snapshot


def snapshot(value: float) -> Snapshot:
    tensors = {"w": torch.full((3, 2), value), "half": torch.arange(4).to(torch.bfloat16)}
    return Snapshot(
        tensors, {"w/momentum": torch.full((3, 2), -value)}, {"step": int(value), "watch": {"losses": [0.1]}}
    )


def test_what_is_saved_is_read_bit_for_bit(tmp_path):
    checkpoint.save(tmp_path, 3, snapshot(3.25))
    found = checkpoint.latest(tmp_path, pytest.fail)
    assert found is not None
    assert found.state == {"step": 3, "watch": {"losses": [0.1]}}
    assert all(torch.equal(found.model[name], tensor) for name, tensor in snapshot(3.25).model.items())
    assert torch.equal(found.optimizer["w/momentum"], torch.full((3, 2), -3.25))


@pytest.mark.parametrize(
    ("hurt", "fault"),
    [
        (lambda path: (path / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda path: (path / "manifest.json").unlink(), "manifest.json is missing"),
        (lambda path: (path / "manifest.json").write_text("{"), "manifest.json cannot be read"),
        (lambda path: (path / "state.json").write_text("{}"), "state.json has 2 bytes, not"),
        (
            lambda path: (path / "optimizer.safetensors").write_bytes(
                (path / "optimizer.safetensors").read_bytes()[:-1] + b"\x01"
            ),
            "optimizer.safetensors has changed since it was written",
        ),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, hurt, fault):
    checkpoint.save(tmp_path, 1, snapshot(1))
    path = checkpoint.save(tmp_path, 2, snapshot(2))
    hurt(path)
    notes: list[str] = []
    found = checkpoint.latest(tmp_path, notes.append)
    assert found is not None
    assert found.state["step"] == 1
    assert len(notes) == 1
    assert str(path) in notes[0]
    assert fault in notes[0]


def test_only_the_newest_are_kept(tmp_path):
    for step in (1, 2, 30, 4):
        checkpoint.save(tmp_path, step, snapshot(step))
        checkpoint.prune(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000004", "step-00000030"]


def test_a_tied_table_is_saved_once_and_restored_for_both(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
            self.head.weight = self.embed.weight

    one, other = Tied(), Tied()
    assert list(checkpoint.weights(one)) == ["embed.weight"]
    checkpoint.restore_weights(other, {name: t.detach() for name, t in checkpoint.weights(one).items()})
    assert torch.equal(other.head.weight, one.embed.weight)


def test_weights_of_another_model_are_refused_by_name():
    with pytest.raises(UserError, match=r"weight has shape \(2, 3\), this recipe wants \(2, 4\)"):
        checkpoint.restore_weights(nn.Linear(4, 2, bias=False), {"weight": torch.zeros(2, 3)})
    with pytest.raises(UserError, match="bias is only in one"):
        checkpoint.restore_weights(nn.Linear(4, 2), {"weight": torch.zeros(2, 4)})


FULL_DISK = """
import resource, signal, sys, torch
from pathlib import Path
from hornbook.train import checkpoint
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing past the limit is an error, as on a full disk
checkpoint.save(Path(sys.argv[1]), 1, checkpoint.Snapshot({"w": torch.ones(10)}, {}, {"step": 1}))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    checkpoint.save(Path(sys.argv[1]), 2, checkpoint.Snapshot({"w": torch.ones(100_000)}, {}, {"step": 2}))
except Exception as error:
    print(type(error).__name__)
"""


def test_when_the_disk_is_full_the_old_checkpoint_stays_and_nothing_half_written(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.strip(), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert checkpoint.damage(tmp_path / "step-00000001") is None
    assert json.loads((tmp_path / "step-00000001" / "state.json").read_text()) == {"step": 1}
