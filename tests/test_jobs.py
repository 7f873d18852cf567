"""What a stage is given to train; that every objective's rows fit its model is in test_objectives.py."""

import json
from pathlib import Path

import numpy as np
import pytest

from hornbook.build import Build
from hornbook.core.errors import UserError
from hornbook.core.run import Run
from hornbook.jobs import held_out, pretraining, rows
from hornbook.objective.language import NextToken
from hornbook.settings import load
from hornbook.text.tokenizer import load as load_tokenizer

SMALL = ["tokenizer.vocab=400", "pretrain.steps=2", "pretrain.tokens_per_step=256", "pretrain.validation_rows=2"]


def files(folder: Path) -> Path:
    folder.mkdir()
    for n in range(30):
        (folder / f"{n}.txt").write_text(f"Number {n}: one two three, and then nothing but {n} again. " * 8)
    return folder


def test_next_token_alone_knows_its_bits_per_byte(tmp_path: Path) -> None:
    Build("tiny/pretrain", [*SMALL, f"corpus.source={files(tmp_path / 'files')}"], tmp_path / "run").train("pretrain")
    run = Run(tmp_path / "run")
    tokenizer = load_tokenizer(run.tokenizer)
    job = pretraining(load(run.recipe), run, tokenizer)
    assert isinstance(job.objective, NextToken)
    assert job.bytes_per_token == pytest.approx(4, abs=2.5)
    *_, last = (row for row in map(json.loads, run.metrics.read_text().splitlines()) if "validation_loss" in row)
    assert "validation_bits_per_byte" in last
    short = load(run.recipe, ["data.length=4000", "model.length=4000"])
    assert held_out(short, run, tokenizer) is None  # the held-out part has no row of that length
    with pytest.raises(UserError, match="wants 4001"):
        rows(short, run, tokenizer, "validation")


def test_images_of_other_classes_than_the_model_has_are_refused(tmp_path: Path) -> None:
    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    recipe = ["pretrain.epochs=2", "pretrain.tokens_per_step=136", f"corpus.source={tmp_path / 'a.npz'}"]
    with pytest.raises(UserError, match=r"model.head.labels: 10 for 3 classes of images; set it to 3"):
        Build("tiny/digits", recipe, tmp_path / "refused").everything()
    Build("tiny/digits", [*recipe, "model.head.labels=3"], tmp_path / "run").everything()
    task = json.loads((tmp_path / "run" / "evaluate.json").read_text())["task"]
    assert task["shares"]["accuracy"]["of"] == task["rows"] > 5
    fields = json.loads((tmp_path / "run" / "model" / "config.json").read_text())
    assert fields["id2label"] == {"0": "0", "1": "1", "2": "2"}
