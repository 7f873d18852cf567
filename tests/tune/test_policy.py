"""Learning from rewards ends in the same bytes after a kill, in the same weights with two processes, and is refused
where it cannot be."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from hornbook.adapt.freeze import Freeze
from hornbook.adapt.lora import Lora
from hornbook.align.reward import Function
from hornbook.core.errors import RecipeError, UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.objective.batch import Loss
from hornbook.optim.schedule import BatchRamp
from hornbook.train.config import Train
from hornbook.train.guard import Guard
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks
from hornbook.tune.grpo import Grpo
from hornbook.tune.policy import held_out
from tests.train.doubles import Ears
from tests.tune.doubles import place_at, trained
from tests.tune.rewarded import STAGES, asked, stage

SCRIPT = "import sys; from tests.tune.rewarded import train; train(*sys.argv[1:])"


def lines(path: Path) -> list[dict[str, Any]]:
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue  # the line a kill cut short
    return found


def launch(*arguments: object, rank: int = 0, world: int = 1) -> subprocess.Popen[bytes]:
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29877", "WORLD_SIZE": str(world), "RANK": str(rank)}
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", **(place if world > 1 else {})}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *map(str, arguments)], env=environment)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["grpo", "ppo"])
def test_sigkill_at_any_moment_changes_nothing(name: str, tiny_base: Path, tmp_path: Path) -> None:
    """Killed before the first checkpoint, between two that stand inside a rollout, and once more."""
    rows = asked(tmp_path / "rows.jsonl")
    assert launch(tmp_path / "calm", tiny_base, rows, name).wait(timeout=300) == 0
    for step in (2, 7, 13):
        process = launch(tmp_path / "hurt", tiny_base, rows, name)
        while process.poll() is None and not any(r["step"] >= step for r in lines(tmp_path / "hurt" / "metrics.jsonl")):
            time.sleep(0.002)
        assert process.poll() is None, "it was over before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert launch(tmp_path / "hurt", tiny_base, rows, name).wait(timeout=300) == 0
    calm, hurt = (tmp_path / each for each in ("calm", "hurt"))
    assert (calm / "model" / "model.safetensors").read_bytes() == (hurt / "model" / "model.safetensors").read_bytes()
    assert (calm / "rollouts.jsonl").read_text() == (hurt / "rollouts.jsonl").read_text()
    learned = [[(row["step"], row["loss"], row["reward"]) for row in lines(f / "metrics.jsonl")] for f in (calm, hurt)]
    assert learned[0] == learned[1]
    assert [step for step, _, _ in learned[0]] == list(range(1, 17))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["grpo", "rloo", "ppo"])
def test_two_processes_are_one(name: str, tiny_base: Path, tmp_path: Path) -> None:
    """The same texts, the same rewards, the same weights to 1e-6; of three prompts one process writes two."""
    rows = asked(tmp_path / "rows.jsonl")
    for world in (1, 2):
        processes = [launch(tmp_path / str(world), tiny_base, rows, name, 4, rank=r, world=world) for r in range(world)]
        assert [process.wait(timeout=300) for process in processes] == [0] * world
    one, two = (lines(tmp_path / world / "rollouts.jsonl") for world in "12")
    assert [(row["completion"], row["reward"]) for row in one] == [(row["completion"], row["reward"]) for row in two]
    one, two = (lines(tmp_path / world / "metrics.jsonl") for world in "12")
    for key in ("reward", "reward_std", "kl", "entropy", "completion_tokens"):
        assert [row[key] for row in one] == pytest.approx([row[key] for row in two], abs=1e-6), key
    ours, theirs = (load_file(tmp_path / world / "model" / "model.safetensors") for world in "12")
    for key, weight in ours.items():
        torch.testing.assert_close(weight, theirs[key], atol=1e-6, rtol=0, msg=lambda m, k=key: f"{k}: {m}")


class Poisoned:
    """An objective that gives NaN once."""

    def __init__(self, objective: Any, call: int) -> None:
        self.objective, self.calls, self.SHARES = objective, call, objective.SHARES

    def count(self, batch: Any) -> int:
        return int(self.objective.count(batch))

    def __call__(self, model: nn.Module, batch: Any) -> Loss:
        self.calls -= 1
        loss: Loss = self.objective(model, batch)
        return loss if self.calls else Loss(loss.sum * float("nan"), loss.count, loss.shares)


@pytest.mark.parametrize("call", [1, 4, 5])
def test_a_fault_is_stepped_back_from(call: int, tiny_base: Path, tmp_path: Path) -> None:
    """Whether it is met at the first update of a rollout or a later one; its texts are not learned from again."""
    given = STAGES["grpo"](asked(tmp_path / "rows.jsonl"), steps=9, train={"save_every": 2, "guard": Guard()})
    place = place_at(tmp_path / "run", tiny_base)
    job = given.job(place)
    object.__setattr__(job, "objective", Poisoned(job.objective, call))
    progress = Trainer(given.train, job, place.run, listener=Ears(), ranks=Ranks()).fit()
    assert progress.step == 9
    assert progress.watch.skipped == [((call - 1) * 12, call * 12)]
    (event,) = lines(tmp_path / "run" / "events.jsonl")
    assert len(event["documents"]) == 3
    assert all(name.startswith("rows.jsonl:") for name in event["documents"])


@pytest.mark.parametrize("fields", [{"adapter": Lora(rank=2)}, {"freeze": Freeze(train=("last block",))}, {"kl": None}])
def test_adapters_frozen_parts_and_no_reference(fields: dict[str, Any], tiny_base: Path, tmp_path: Path) -> None:
    """The first rollout is at the reference; what is frozen stays; the folder is a plain model with its template."""
    given, place = stage(Grpo, asked(tmp_path / "rows.jsonl"), steps=2, **fields), place_at(tmp_path / "run", tiny_base)
    model = trained(given, place)
    assert LanguageModel.load(model).chats
    before, after = load_file(tiny_base / "model.safetensors"), load_file(model / "model.safetensors")
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    if fields.get("freeze"):
        assert all(".layers.1." in name for name in changed)
    row = lines(tmp_path / "run" / "metrics.jsonl")[0]
    assert ("kl" in row) == (fields.get("kl", 1) is not None)
    assert row.get("kl", 0) == pytest.approx(0, abs=1e-6)
    assert row["completion_tokens"] <= 8
    assert {
        "generation_seconds",
        "reference_seconds",
        "check_seconds",
        "clip_fraction",
        "entropy",
        "reward_std",
    } <= row.keys()


def test_scores_are_of_held_out_prompts_before_and_after(tiny_base: Path, tmp_path: Path) -> None:
    given, place = stage(Grpo, asked(tmp_path / "rows.jsonl"), steps=1), place_at(tmp_path / "run", tiny_base)
    scores = given.score(place, tiny_base)
    assert scores["reward"]["of"] == 18
    assert scores["reward"]["value"] == scores["reward_before"]["value"]
    assert scores["reward_gain"]["value"] == 0
    assert scores["kl"]["value"] == pytest.approx(0, abs=1e-5)
    assert given.files(place) == [tmp_path / "rows.jsonl"]
    assert not set(given.job(place).source.documents(0, 12)[0]) & {row["id"] for row in _held_out(given, place)}


def _held_out(given: Any, place: Any) -> list[Any]:
    return held_out(given.prompts.build(place.file))


def test_a_bad_reward_stops_with_the_rows_id_or_leaves_the_text_out(tiny_base: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def mine(prompt, completion, row): return float('nan') if row['id'][-1] in '13579' else 1"
    )
    rows = asked(tmp_path / "rows.jsonl")
    given = stage(Grpo, rows, reward=Function(path=f"{tmp_path / 'mine.py'}:mine"))
    with pytest.raises(UserError, match=r"rows\.jsonl:\d+: the reward .*mine gave nan"):
        trained(given, place_at(tmp_path / "stops", tiny_base))
    given = stage(Grpo, rows, steps=4, reward=Function(path=f"{tmp_path / 'mine.py'}:mine", skip_bad=True))
    trained(given, place_at(tmp_path / "goes-on", tiny_base))
    found = lines(tmp_path / "goes-on" / "metrics.jsonl")
    assert any(0 < row["skipped"] < 1 for row in found)
    assert all(row["reward"] == 1 for row in found if row["skipped"] < 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"samples_per_prompt": 1}, "samples_per_prompt: 1 has nothing to compare with"),
        ({"temperature": 0.0}, "temperature: 0.0 leaves nothing to choose"),
        ({"updates_per_rollout": 3, "passes_per_rollout": 2}, "passes_per_rollout: 2 does not divide the 3 updates"),
        ({"max_new_tokens": 0}, "max_new_tokens: 0 is less than 1"),
        ({"train": {"ramp": BatchRamp(start=2, end=4, steps=2)}}, "train.ramp: texts are whole"),
        ({"train": {"rows_per_step": 4}}, "train.rows_per_step"),
    ],
)
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as error:
        stage(Grpo, tmp_path / "rows.jsonl", **fields)
    assert str(error.value).startswith(sentence)
    assert Train(steps=1).guard == Guard()
