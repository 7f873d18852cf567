"""A planted preference is learned by all five; a step is the same however it is cut up; the reference is asked once."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from hornbook.adapt.lora import Lora
from hornbook.core.errors import UserError
from hornbook.core.stop import Stop
from hornbook.data.preferences import Preferences
from hornbook.data.split import Split
from hornbook.generate.language_model import LanguageModel
from hornbook.objective.preference import DPO, IPO, KTO, ORPO, Simpo
from hornbook.optim.adamw import AdamW
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.tune import reference
from hornbook.tune.prefer import Prefer, distance
from tests.train.doubles import Ears
from tests.tune import planted
from tests.tune.doubles import place_at, trained

THIRDS = Split(train=0.7, validation=0.1)
ALL = {
    "dpo": DPO(beta=0.5, label_smoothing=0.02),
    "ipo": IPO(tau=0.5),
    "kto": KTO(beta=0.3),
    "orpo": ORPO(weight=1.0),
    "simpo": Simpo(beta=2.0, gamma=0.2),
}


def stage(rows: Path, objective: Any, *, steps: int = 3, **fields: Any) -> Prefer:
    given = {"rows_per_step": 8, "optimizer": AdamW(lr=3e-4), "validate_every": 25, "precision": "fp32"}
    train = Train(steps=steps, **{**given, **fields.pop("train", {})})
    data = Preferences(source=str(rows), split=THIRDS)
    return Prefer(data=data, objective=objective, template="chatml", length=64, train=train, **fields)


def metrics(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_planted_preference_is_learned(name: str, planted_base: Path, tmp_path: Path) -> None:
    """The share of sampled answers without the word rises by more than chance; the KL to the reference stays small."""
    rows = planted.write(planted.judged(900) if name == "kto" else planted.pairs(600), tmp_path / "rows.jsonl")
    steps = 60 if name in ("kto", "orpo") else 40
    given, place = stage(rows, ALL[name], steps=steps), place_at(tmp_path / "run", planted_base)
    model = trained(given, place)
    before, after = (planted.kept(LanguageModel.load(path)) / 200 for path in (planted_base, model))
    both = (before + after) / 2
    assert after - before > 3 * math.sqrt(both * (1 - both) * 2 / 200), (before, after)  # three deviations
    scores = given.score(place, model)
    assert scores["accuracy"]["value"] > 0.65
    assert scores["kl"]["value"] < 3  # nats an answer; the least that keeps to the rule is log 2
    looked = [row for row in metrics(tmp_path / "run") if "validation_loss" in row]
    assert looked[-1]["validation_loss"] < looked[0]["validation_loss"]
    if name != "kto":
        assert scores["margin"]["interval"][0] > 0
        assert looked[-1]["validation_margin"] > looked[0]["validation_margin"]


@pytest.mark.parametrize("name", ALL)
def test_a_stage_trains_scores_and_keeps_a_model_that_speaks(name: str, tiny_base: Path, tmp_path: Path) -> None:
    rows = planted.write(planted.judged(40) if name == "kto" else planted.pairs(40), tmp_path / "rows.jsonl")
    given, place = stage(rows, ALL[name]), place_at(tmp_path / "run", tiny_base)
    assert given.files(place) == [rows]
    model = trained(given, place)
    lm = LanguageModel.load(model)
    assert lm.chats
    row = metrics(tmp_path / "run")[1]
    assert set(ALL[name].SHARES) - {"drift", "accuracy", "margin"} <= row.keys()
    assert (tmp_path / "run" / "reference.safetensors").exists() == ALL[name].REFERENCE
    scores = given.score(place, model)
    assert 0 <= scores["accuracy"]["value"] <= 1
    assert scores["accuracy"]["of"] == 8


def test_the_first_step_is_at_the_reference(tiny_base: Path, tmp_path: Path) -> None:
    """The model starts as its own reference: DPO's loss is log 2, whatever the rows are."""
    rows = planted.write(planted.pairs(40), tmp_path / "rows.jsonl")
    trained(stage(rows, DPO()), place_at(tmp_path / "run", tiny_base))
    looked, first = metrics(tmp_path / "run")[:2]
    assert looked["validation_loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert first["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert first["drift"] == pytest.approx(0, abs=1e-6)


def test_going_on_asks_the_reference_no_more(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was cut off ends like one left alone, and reads the reference from its file."""
    rows, ends = planted.write(planted.pairs(40), tmp_path / "rows.jsonl"), []
    for name in ("whole", "cut"):
        place = place_at(tmp_path / name, tiny_base)
        if name == "cut":
            given = stage(rows, DPO(), train={"save_every": 2})
            job = given.job(place)
            half = Train(steps=3, rows_per_step=8, optimizer=AdamW(lr=3e-4), save_every=2, precision="fp32")
            trainer = Trainer(half, job, place.run, listener=Ears(), ranks=place.ranks)
            trainer._resume()
            for _ in range(2):
                trainer._step(Stop())
            trainer._save()
            monkeypatch.setattr(reference.Reader, "log_p", lambda *_: pytest.fail("asked again"))
        trained(stage(rows, DPO(), train={"save_every": 2}), place)
        ends.append(load_file(place.run.model / "model.safetensors"))
    for key, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][key]), key


def test_with_an_adapter_the_reference_is_the_base(tiny_base: Path, tmp_path: Path) -> None:
    """Only the adapter learns; it is folded in, so the folder is an ordinary model."""
    rows = planted.write(planted.pairs(40), tmp_path / "rows.jsonl")
    given, place = stage(rows, DPO(), adapter=Lora(rank=2)), place_at(tmp_path / "run", tiny_base)
    job = given.job(place)
    assert 0 < sum(p.numel() for p in job.model.parameters() if p.requires_grad) < 20_000
    model = trained(given, place)
    assert metrics(tmp_path / "run")[1]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    base, now = load_file(tiny_base / "model.safetensors"), load_file(model / "model.safetensors")
    assert base.keys() == now.keys()
    assert any(not torch.equal(base[key], now[key]) for key in base)


def test_single_judgements_are_for_kto(tiny_base: Path, tmp_path: Path) -> None:
    rows = planted.write(planted.judged(40), tmp_path / "rows.jsonl")
    with pytest.raises(UserError, match=r"rows\.jsonl:\d+: one answer, judged alone, .* or take `kto`"):
        stage(rows, DPO()).job(place_at(tmp_path / "run", tiny_base))


def test_the_distance_is_a_mean_with_its_interval() -> None:
    found = distance(torch.tensor([[1.0, 0.0], [3.0, 0.0]]))
    assert (found["value"], found["of"]) == (2.0, 2)
    assert found["interval"][0] <= 2 <= found["interval"][1]


SCRIPT = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from hornbook.train.parallel import ranks
from tests.tune.doubles import place_at
from tests.tune.test_prefer import ALL, stage

torch.set_num_threads(1)
folder, base, micro = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])


def first_step(name, joined):
    if not joined.first:
        joined.wait()  # as every stage does: the first process reads the reference, the others its file
    job = stage(folder.parent / f"{name}.jsonl", ALL[name]).job(place_at(folder / name, base, ranks=joined))
    if joined.first:
        joined.wait()
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in job.model.parameters():  # away from the reference
            parameter += 0.02 * torch.randn(parameter.shape, generator=draw)
    total = count = 0.0
    rows = joined.share(0, 8)
    for first in range(rows.start, rows.stop, micro):
        loss = job.objective(job.model, job.source.batch(first, min(micro, rows.stop - first)))
        loss.sum.backward()
        total, count = total + float(loss.sum.detach()), count + loss.count
    joined.sum_gradients(job.model.parameters())
    total, count = joined.sum(total, count)
    found = {f"{name}.{key}": value.grad / count for key, value in job.model.named_parameters()}
    return {**found, f"{name}.loss": torch.tensor(total / count)}


with ranks(1, []) as joined:
    found = {key: value for name in ALL for key, value in first_step(name, joined).items()}
    if joined.first:
        save_file(found, folder / "found.safetensors")
"""


def gradients(folder: Path, base: Path, *, world: int, micro: int) -> dict[str, torch.Tensor]:
    """Loss and gradient of the first step of each objective, by so many processes and so many rows at a time."""
    root = Path(__file__).parents[2]
    shared = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29631", "WORLD_SIZE": str(world)} if world > 1 else {}
    command = [sys.executable, "-c", SCRIPT, str(folder), str(base), str(micro)]
    folder.mkdir()
    processes = [
        subprocess.Popen(command, env={**shared, **place, **({"RANK": str(rank)} if world > 1 else {})})
        for rank in range(world)
    ]
    assert [process.wait(timeout=300) for process in processes] == [0] * world
    return load_file(folder / "found.safetensors")


@pytest.mark.slow
def test_accumulation_and_two_processes_change_nothing(tiny_base: Path, tmp_path: Path) -> None:
    """Of pairs and of single judgements, whose answers have unequal numbers of tokens."""
    for name in ALL:
        planted.write(planted.judged(60) if name == "kto" else planted.pairs(60), tmp_path / f"{name}.jsonl")
    once = gradients(tmp_path / "once", tiny_base, world=1, micro=8)
    for folder, world, micro in (("pieces", 1, 3), ("two", 2, 2)):
        other = gradients(tmp_path / folder, tiny_base, world=world, micro=micro)
        for key, tensor in once.items():
            scale = max(1.0, float(tensor.abs().max()))
            torch.testing.assert_close(other[key], tensor, atol=1e-6 * scale, rtol=0, msg=lambda m, k=key: f"{k}: {m}")
