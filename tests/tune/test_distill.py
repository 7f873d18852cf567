"""A student learns from a teacher, asked at each step or before, and what cannot be is said."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus.pipeline import Corpus
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.objective.distill import Distillation
from hornbook.optim.adamw import AdamW
from hornbook.text.bpe import BPE
from hornbook.train.config import Train
from hornbook.tune.continued import Continue
from hornbook.tune.distill import Distill, student_config
from tests.tune.doubles import place_at, trained
from tests.tune.made_up_text import write

TRAIN = Train(steps=12, tokens_per_step=512, optimizer=AdamW(lr=5e-3), validate_every=1000, save_every=1000)
STUDENT = """
dim: 24
head: {tied: true}
stack:
  layers: 1
  norm: rms_norm
  position: rope
  layer: [{type: attention, heads: 2}, {type: gated_mlp, hidden: 48}]
"""


def corpus(folder: Path) -> Corpus:
    return Corpus(source=write(folder)["shore"], steps=(), validation=0.2)


@pytest.fixture(scope="module")
def teacher(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    goes_on = Continue(corpus=corpus(folder / "files"), length=64, train=replace(TRAIN, steps=60))
    return trained(goes_on, place_at(folder / "run", tiny_base))


def stage(folder: Path, **fields: object) -> Distill:
    (folder / "student.yaml").write_text(STUDENT)
    return Distill(
        **{
            "student": str(folder / "student.yaml"),
            "corpus": corpus(folder / "files"),
            "length": 64,
            "train": TRAIN,
            **fields,
        }
    )


def test_a_fresh_student_comes_near_its_teacher(teacher: Path, tmp_path: Path) -> None:
    distil = stage(
        tmp_path,
        loss=Distillation(soft=1.0, temperature=1.0),
        train=replace(TRAIN, steps=120, optimizer=AdamW(lr=2e-2)),
    )
    place = place_at(tmp_path / "run", teacher)
    scores = distil.score(place, trained(distil, place))
    name = "shore.jsonl"
    student, known = (scores[f"bits per byte of {name}, {who}"]["value"] for who in ("student", "teacher"))
    assert known < 1
    assert known < student < known + 1  # a student of random weights is at 5 or more
    lm = LanguageModel.load(tmp_path / "run" / "model")
    assert lm.module.config.dim == 24
    assert lm.tokenizer.fingerprint == LanguageModel.load(teacher).tokenizer.fingerprint


def test_scores_that_are_kept_teach_as_the_teacher_does(teacher: Path, tmp_path: Path) -> None:
    """All tokens kept, every step's loss is that of a teacher who is asked (fp16 on disk)."""
    from hornbook.core.run import Log

    losses = {}
    for name, stored in (("asked", None), ("kept", 400)):
        place = place_at(tmp_path / name, teacher)
        trained(stage(tmp_path, stored=stored, train=replace(TRAIN, steps=4)), place)
        losses[name] = [row["loss"] for row in Log(place.run.metrics).rows() if "loss" in row]
    assert losses["kept"] == pytest.approx(losses["asked"], rel=2e-3)
    kept = tmp_path / "kept" / "teacher"
    before = (kept / "ids").stat().st_mtime_ns
    stage(tmp_path, stored=400).job(place_at(tmp_path / "kept", teacher))
    assert (kept / "ids").stat().st_mtime_ns == before  # asked once


def test_the_teacher_is_neither_trained_nor_saved(teacher: Path, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in LanguageModel.load(teacher).module.state_dict().items()}
    distil = stage(tmp_path, train=replace(TRAIN, steps=2))
    place = place_at(tmp_path / "run", teacher)
    job = distil.job(place)
    job.objective(job.model, job.source.batch(0, 2)).sum.backward()
    after = job.objective.teacher.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.grad is None for parameter in job.objective.teacher.parameters())
    assert sum(p.numel() for p in job.model.parameters()) < sum(t.numel() for t in before.values()) / 2


def test_a_teacher_of_other_tokens_is_refused(teacher: Path, tmp_path: Path) -> None:
    other = BPE(vocab=300, split="gpt2").train(["other words than those\n"] * 9, processes=1)
    sizes = ["embed.vocab=300", "length=64"]
    model = recipe.load(Decoder, "models/llama-tiny", sizes).build(torch.Generator().manual_seed(0))
    LanguageModel(model, other).save(tmp_path / "other")
    distil = stage(tmp_path, student=None, teacher=str(tmp_path / "other"))
    with pytest.raises(UserError, match=r"teacher: its tokenizer \(\d+ ids, \w+\) is not the student's"):
        distil.job(place_at(tmp_path / "run", teacher))


def test_what_cannot_be_is_said(teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a model cannot be its own teacher"):
        stage(tmp_path, student=None)
    with pytest.raises(ValueError, match="stored: 0 keeps nothing"):
        stage(tmp_path, stored=0)
    config = LanguageModel.load(teacher).module.config
    with pytest.raises(RecipeError, match="has 131 ids, the teacher"):
        student_config("models/llama-tiny", config)
    assert student_config(stage(tmp_path).student, config).vocab == config.vocab
