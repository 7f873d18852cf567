"""A reward model learns a planted preference; its folder is one that transformers reads; 0 is a usual answer."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from hornbook.adapt.freeze import Freeze
from hornbook.adapt.lora import Lora
from hornbook.core.errors import UserError
from hornbook.data.preferences import Preferences
from hornbook.data.split import Split
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.reward import RewardModel
from hornbook.model.decoder import DecoderModel
from hornbook.optim.adamw import AdamW
from hornbook.train.config import Train
from hornbook.tune.reward import Reward, told, with_number
from tests.tune import planted
from tests.tune.doubles import place_at, trained


def stage(rows: Path, *, steps: int = 3, length: int = 128, **fields: Any) -> Reward:
    train = Train(steps=steps, rows_per_step=8, optimizer=AdamW(lr=1e-3), precision="fp32")
    data = Preferences(source=str(rows), split=Split(train=0.7, validation=0.1))
    return Reward(data=data, template="chatml", length=length, train=train, **fields)


@pytest.mark.slow
def test_a_planted_preference_is_seen_in_held_out_answers(planted_base: Path, tmp_path: Path) -> None:
    rows = planted.write(planted.pairs(600), tmp_path / "rows.jsonl")
    given, place = stage(rows, steps=40, length=64), place_at(tmp_path / "run", planted_base)
    model = trained(given, place)
    scores = given.score(place, model)
    assert scores["accuracy"]["interval"][0] > 0.9
    assert scores["calibration_error"]["value"] < 0.1
    assert abs(scores["reward_mean"]["value"]) < 0.25 * scores["reward_deviation"]["value"]
    asked = planted.questions(1)[0]
    good, bad = RewardModel.load(model).scores(
        [[*asked, {"role": "assistant", "content": text}] for text in ("red small wide.", "red small grey.")]
    )
    assert good > 0 > bad


@pytest.mark.parametrize("fields", [{}, {"adapter": Lora(rank=2)}, {"freeze": Freeze(train=("last block", "head"))}])
def test_a_stage_trains_and_its_folder_is_a_reward_model(fields: Any, tiny_base: Path, tmp_path: Path) -> None:
    """The mean over the training answers is taken off; the body is the base's where it was frozen."""
    rows = planted.write(planted.pairs(40), tmp_path / "rows.jsonl")
    given, place = stage(rows, **fields), place_at(tmp_path / "run", tiny_base)
    assert given.files(place) == [rows]
    job = given.job(place)
    learning = {name for name, parameter in job.model.named_parameters() if parameter.requires_grad}
    assert "head.labels.weight" in learning
    assert (len(learning) == len(list(job.model.parameters()))) == (not fields)
    model = trained(given, place)
    metrics = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert {"accuracy", "margin", "reward"} <= metrics[1].keys()
    found = RewardModel.load(model)
    parts = given.data.build()  # type: ignore[union-attr]
    answers = [[*row["prompt"], {"role": "assistant", "content": row[half]}] for row in parts.train for half in HALVES]
    assert float(found.scores(answers).mean()) == pytest.approx(0, abs=1e-4)
    scores = given.score(place, model)
    assert scores["accuracy"]["of"] == 8
    assert len(scores["rewards"]["chosen"]) == 8


HALVES = ("chosen", "rejected")


@pytest.mark.filterwarnings("ignore")
def test_transformers_gives_the_same_number(tiny_base: Path, tmp_path: Path) -> None:
    """Llama with one label, read off the last token that is no padding; the mean is in config.json."""
    transformers = pytest.importorskip("transformers")
    rows = planted.write(planted.pairs(40), tmp_path / "rows.jsonl")
    model = trained(stage(rows), place_at(tmp_path / "run", tiny_base))
    ours = RewardModel.load(model)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(model).eval()
    talk = [{"role": "user", "content": "How was the owl?"}, {"role": "assistant", "content": "red old."}]
    ids = ours.renderer.render(talk).ids
    ids = ids[: len(ids) - ids[::-1].index(ours.renderer.stop)]
    padding = [theirs.config.pad_token_id] * 3
    with torch.no_grad():
        number = theirs(torch.tensor([ids + padding]), attention_mask=torch.tensor([[1] * len(ids) + [0] * 3])).logits
    assert number.shape == (1, 1)
    assert float(ours.scores([talk])) == pytest.approx(float(number) - theirs.config.reward_mean, abs=1e-5)


def test_the_body_is_the_language_models(tiny_base: Path) -> None:
    """Only the head is new: small, without a bias, drawn from the seed."""
    base = LanguageModel.load(tiny_base).module
    assert isinstance(base, DecoderModel)
    one, same, other = (with_number(base, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    ids = torch.arange(10)[None]
    assert torch.equal(one(ids, logits=False).hidden, base(ids, logits=False).hidden)
    weight = one.head.labels.weight
    assert torch.equal(weight, same.head.labels.weight)
    assert not torch.equal(weight, other.head.labels.weight)
    assert one(ids).logits.shape == (1, 1)
    assert float(weight.detach().std()) == pytest.approx(49**-0.5, rel=0.4)
    kept = load_file(tiny_base / "model.safetensors")
    assert len(kept) <= len(one.state_dict())


def test_what_is_told_by_hand() -> None:
    found = told(torch.tensor([[2.0, 0.0], [1.0, 0.5], [0.0, 1.0], [3.0, -3.0]]))
    assert (found["accuracy"]["value"], found["accuracy"]["of"]) == (0.75, 4)
    assert found["reward_mean"]["value"] == pytest.approx(4.5 / 8)
    assert sum(each["of"] for each in found["calibration_error"]["bins"]) == 4


def test_single_judgements_are_refused(tiny_base: Path, tmp_path: Path) -> None:
    rows = planted.write(planted.judged(40), tmp_path / "rows.jsonl")
    with pytest.raises(UserError, match="judged alone, where a reward model compares two"):
        stage(rows).job(place_at(tmp_path / "run", tiny_base))
