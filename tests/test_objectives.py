"""Whole runs of every objective: they learn, their scores and reports say so, and a cut run ends like a calm one."""

import importlib.util
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

import hornbook
from hornbook.build import Build
from hornbook.console import Console
from hornbook.core.run import Run
from hornbook.jobs import pretraining, rows
from hornbook.measures import EXACT
from hornbook.samples import sides
from hornbook.settings import load
from hornbook.text.tokenizer import load as load_tokenizer
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks

SENTENCE = "The {0} of the {1} went to the {2} and did not come back. It was {1}, not {0}. "
WORDS = ["king", "house", "river", "mountain", "teacher", "garden", "winter", "letter"]
NAMES = ["masked", "masked-pairs", "denoise", "spans", "translate"]


def files(folder: Path) -> Path:
    folder.mkdir()
    for n in range(120):
        words = [WORDS[(n + k * (1 + n % 3)) % len(WORDS)] for k in range(3)]
        (folder / f"{n}.txt").write_text(f"Number {n}. " + SENTENCE.format(*words) * 6)
    return folder


def overrides(name: str, folder: Path) -> list[str]:
    few = ["pretrain.steps=8", "pretrain.tokens_per_step=512", "pretrain.validation_rows=8", "evaluate.documents=8"]
    few += ["pretrain.validate_every=4", "pretrain.save_every=3", "evaluate.max_new_tokens=8"]
    if name == "translate":
        return [*few, "corpus.pairs=300", "pretrain.sample_every=4"]
    few += ["pretrain.sample_every=4"] if name in ("denoise", "spans") else []
    return [*few, f"corpus.source={folder}", "corpus.validation=0.2", "tokenizer.vocab=420"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each objective that reads text."""
    place = tmp_path_factory.mktemp("objectives")
    source = files(place / "files")
    for name in NAMES:
        Build(f"tiny/{name}", overrides(name, source), place / name).everything()
    return {name: place / name for name in NAMES}


def metrics(folder: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if "predicted" not in row]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_leaves_its_metrics_its_scores_its_model_and_its_report(name: str, built: dict[str, Path]) -> None:
    run = built[name]
    steps = [row for row in metrics(run) if "loss" in row]
    assert [row["step"] for row in steps] == list(range(1, 9))
    validations = [row for row in metrics(run) if "validation_loss" in row]
    assert [row["step"] for row in validations] == [0, 4, 8]
    assert all(0 <= row["validation_accuracy"] <= 1 for row in validations)
    assert not any("bits_per_byte" in key for row in metrics(run) for key in row)
    task = json.loads((run / "evaluate.json").read_text())["task"]
    assert task["rows"] == 8
    assert task["loss"] == pytest.approx(validations[-1]["validation_loss"], rel=1e-4)
    page = (run / "report.html").read_text()
    assert "Accuracy on held-out rows" in page
    assert "On 8 rows that it never saw its loss is" in page
    assert (run / "model" / "model.safetensors").is_file()


def test_pairs_of_texts_are_told_apart_by_a_figure_of_their_own(built: dict[str, Path]) -> None:
    row = metrics(built["masked-pairs"])[-1]
    assert 0 <= row["validation_next_sentence_accuracy"] <= 1
    task = json.loads((built["masked-pairs"] / "evaluate.json").read_text())["task"]
    assert set(task["shares"]) == {"accuracy", "next sentence accuracy"}


@pytest.mark.parametrize("name", ["denoise", "spans", "translate"])
def test_what_an_encoder_decoder_writes_stands_beside_what_is_right(name: str, built: dict[str, Path]) -> None:
    samples = [json.loads(line) for line in (built[name] / "samples.jsonl").read_text().splitlines()]
    assert {row["step"] for row in samples} == {4, 8}
    run = Run(built[name])
    tokenizer = load_tokenizer(run.tokenizer)
    sources, targets = sides(rows(load(run.recipe), run, tokenizer, "validation").batch(0, 3))
    assert [row["prompt"] for row in samples[:3]] == [tokenizer.decode(ids) for ids in sources]
    assert [row["target"] for row in samples[:3]] == [tokenizer.decode(ids) for ids in targets]
    assert "it wrote" in (built[name] / "report.html").read_text()
    assert EXACT in json.loads((built[name] / "evaluate.json").read_text())["task"]["shares"]


@pytest.mark.parametrize("name", ["denoise", "spans", "translate"])
def test_the_saved_folder_writes_what_the_run_wrote(name: str, built: dict[str, Path]) -> None:
    """`hornbook generate RUN "source"` frames a source as training did and begins its answer with the same id."""
    lm = hornbook.load(str(built[name]))
    source = "abcdefg" if name == "translate" else "The king of the river"
    written = lm.generate(source, temperature=0, max_new_tokens=5)
    assert isinstance(written, str)
    last = [json.loads(line) for line in (built[name] / "samples.jsonl").read_text().splitlines()][-3:]
    if name == "translate":  # the sources of the others hold marks, which no text can spell
        for row in last:
            text = row["prompt"].removesuffix("</s>")
            assert lm.generate(text, temperature=0, max_new_tokens=12) == row["text"]


@pytest.mark.parametrize("name", ["masked", "masked-pairs"])
def test_the_saved_encoder_answers_as_the_trained_one(name: str, built: dict[str, Path]) -> None:
    run = Run(built[name])
    lm = hornbook.load(str(run.folder))
    batch = rows(load(run.recipe), run, lm.tokenizer, "validation").batch(0, 8)
    recipe = load(run.recipe)
    with torch.no_grad():
        loss = recipe.objective(lm.module.eval(), batch)
    assert float(loss.sum) / loss.count == pytest.approx(metrics(run.folder)[-1]["validation_loss"], rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_micro_batches_of_any_size_give_the_same_gradient(name: str, built: dict[str, Path]) -> None:
    run = Run(built[name])
    recipe, tokenizer = load(run.recipe), load_tokenizer(run.tokenizer)
    gradients = []
    for size in (6, 1):
        job = pretraining(recipe, run, tokenizer)
        job.model.eval()  # no dropout: its draws depend on how a step is cut
        losses = [job.objective(job.model, job.source.batch(first, size)) for first in range(0, 6, size)]
        for loss in losses:
            loss.sum.backward()
        count = sum(loss.count for loss in losses)
        gradients.append({n: p.grad / count for n, p in job.model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for key, whole in gradients[0].items():
        torch.testing.assert_close(gradients[1][key], whole, atol=2e-6, rtol=1e-3)


class PowerCut(Exception):
    pass


class Cut(Console):
    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def step(self, row: dict[str, Any], total: int, seconds_left: float) -> None:
        if row["step"] == self.at:
            raise PowerCut


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_was_cut_ends_like_one_left_alone(name: str, built: dict[str, Path], tmp_path: Path) -> None:
    run = Run(built[name])
    recipe, tokenizer = load(run.recipe), load_tokenizer(run.tokenizer)

    def fit(folder: Path, at: int) -> dict[str, torch.Tensor]:
        job = pretraining(recipe, run, tokenizer)
        Trainer(recipe.pretrain, job, Run(folder), listener=Cut(at), ranks=Ranks()).fit()
        return job.model.state_dict()

    calm = fit(tmp_path / "calm", at=-1)
    with pytest.raises(PowerCut):
        fit(tmp_path / "cut", at=5)
    again = fit(tmp_path / "cut", at=-1)
    assert all(torch.equal(calm[key], again[key]) for key in calm)


@pytest.mark.slow
def test_a_vision_transformer_reads_scikit_learns_digits(tmp_path: Path) -> None:
    """>= 95 % of the held-out digits, in under a minute of CPU."""
    if importlib.util.find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed")
    Build("tiny/digits", [], tmp_path / "run").everything()
    task = json.loads((tmp_path / "run" / "evaluate.json").read_text())["task"]
    assert task["shares"]["accuracy"]["of"] > 300
    assert task["shares"]["accuracy"]["share"] >= 0.95


@pytest.mark.slow
def test_the_transformer_of_2017_learns_to_write_backwards(tmp_path: Path) -> None:
    Build("tiny/translate", [], tmp_path / "run").everything()
    task = json.loads((tmp_path / "run" / "evaluate.json").read_text())["task"]
    assert task["shares"][EXACT]["of"] == 200
    assert task["shares"][EXACT]["share"] >= 0.95
    assert hornbook.load(str(tmp_path / "run")).generate("hornbook", temperature=0) == "koobnroh"


@pytest.mark.slow
def test_masked_tokens_are_guessed_better_than_by_how_common_they_are(shared_data: Path, tmp_path: Path) -> None:
    """Shakespeare: the loss comes below the entropy of the tokens alone, so it reads what stands around them."""
    source = shared_data / "text" / "tinyshakespeare" / "input.txt"
    Build("tiny/masked", [f"corpus.source={source}", "pretrain.steps=250"], tmp_path / "run").train("pretrain")
    run = Run(tmp_path / "run")
    train = rows(load(run.recipe), run, load_tokenizer(run.tokenizer), "train").windows.split.ids
    counts = Counter(train.tolist()).values()
    entropy = -sum(n / len(train) * math.log(n / len(train)) for n in counts)
    assert metrics(run.folder)[-1]["validation_loss"] < entropy
