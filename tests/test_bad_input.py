"""Damaged runs, values that no model can have, a full disk and a locked one: one sentence, exit code 2."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_build import SMALL, make, write_english
from tests.test_cli import run

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    place = tmp_path_factory.mktemp("built")
    write_english(place / "files")
    make(place / "run", place / "files").everything()
    return place


@pytest.fixture
def copy(built, tmp_path):
    """A run folder to damage."""
    return Path(shutil.copytree(built / "run", tmp_path / "run"))


@pytest.fixture
def refused(capsys, monkeypatch):
    """The sentence with which a command line is refused."""

    def sentence(*arguments):
        code, _, err = run(capsys, monkeypatch, *arguments)
        assert (code, err.count("\n"), err[:7]) == (2, 1, "error: ")
        return err[7:-1]

    return sentence


POWERLESS = (  # root without root's right to read and write everything
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
    if os.geteuid() == 0 and shutil.which("setpriv")
    else []
)


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("model/model.safetensors", "model.safetensors: truncated, or no safetensors file"),
        ("model/config.json", "config.json: not valid JSON"),
        ("model/tokenizer.json", "tokenizer.json: not valid JSON"),
    ],
)
def test_a_damaged_model_is_named(refused, copy, name, sentence):
    halve(copy / name)
    assert sentence in refused("generate", copy, "The cat")


def test_a_tokenizer_that_is_not_the_models_is_named(refused, copy):
    path = copy / "model" / "tokenizer.json"
    path.write_text(path.read_text().replace("<|im_end|>", "<|other|>"))
    assert "is not the model's, which config.json says is" in refused("generate", copy, "The cat")


def test_a_damaged_corpus_is_named(refused, copy):
    (copy / "evaluate.json").unlink()
    halve(copy / "corpus" / "validation-00000.parquet")
    assert "validation-00000.parquet: damaged Parquet file; delete" in refused("evaluate", copy)


def test_damaged_shards_are_named(refused, built, copy):
    shutil.rmtree(copy / "model")
    halve(copy / "shards" / "train.ids")
    command = ["train", "tiny/pretrain", *SMALL, f"corpus.source={built / 'files'}", "--run", copy]
    assert "train.ids: has " in refused(*command)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.dim=0", "model: dim: 0 is not above 0"),
        ("model.head.soft_cap=0", "model.head: soft_cap: 0.0 is not above 0"),
        ("model.stack.layer.0.heads=0", "model.stack.layer[0]: heads: 0 is not above 0"),
        ("model.stack.layer.0.kv_heads=0", "model.stack.layer[0]: kv_heads: 0 is not above 0"),
        ("model.stack.layer.1.hidden=0", "model.stack.layer[1]: hidden: 0 channels hold nothing"),
        ("evaluate.completions=-1", "evaluate: completions: -1 is below 0"),
        ("pretrain.micro_batch=0", "pretrain: micro_batch: 0 is not above 0"),
        ("pretrain.steps=ten", "pretrain.steps: wants a whole number, got 'ten'"),
    ],
)
def test_a_value_that_fits_no_model_is_refused_before_anything_is_written(refused, tmp_path, override, sentence):
    found = refused("train", "tiny/pretrain", override, "--run", tmp_path / "run")
    assert found.startswith(sentence)
    assert not (tmp_path / "run").exists()


def build(folder: Path, source: Path, *before: str) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-m", "hornbook", "build", "tiny/pretrain", *SMALL]
    return subprocess.run(
        [*command, f"corpus.source={source}", "--run", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [20, 200])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half(built, tmp_path, kilobytes):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can only be made by root")
    try:
        result = build(disk / "run", built / "files")
        assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
        assert "no space left" in result.stderr.lower()
        assert not list(disk.rglob("*.aside"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_folder_that_may_not_be_written_is_one_sentence(built, tmp_path):
    if POWERLESS == [] and os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    tmp_path.chmod(0o555)
    result = build(tmp_path / "run", built / "files", *POWERLESS)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert "run: no permission" in result.stderr


@pytest.mark.slow
def test_weights_that_may_not_be_read_are_named(copy):
    weights = copy / "model" / "model.safetensors"
    weights.chmod(0)
    if POWERLESS == [] and os.geteuid() == 0:
        pytest.skip("root reads everything")
    result = subprocess.run(
        [*POWERLESS, sys.executable, "-m", "hornbook", "generate", str(copy), "The"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert "model.safetensors: no permission" in result.stderr
