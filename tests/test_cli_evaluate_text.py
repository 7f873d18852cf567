"""`hornbook evaluate text` and `perplexity` as a person types them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sacrebleu

from tests.evaluate.tiny_models import TEXT, make


def hornbook(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hornbook", "evaluate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def lines(path: Path, *texts: str) -> Path:
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def test_two_files(tmp_path: Path) -> None:
    written = lines(tmp_path / "written.txt", "the cat sat on the mat", "", "a dog ran home")
    references = lines(tmp_path / "references.txt", "the cat sat on a mat", "it rains", "the dog ran home")
    found = hornbook("text", written, references, "--metrics", "bleu,chrf", "--out", tmp_path / "scores.json")
    assert found.returncode == 0, found.stderr
    texts = [path.read_text().split("\n")[:-1] for path in (written, references)]
    wanted = sacrebleu.corpus_bleu(texts[0], [texts[1]]).score
    assert f"{wanted:.4f} (" in found.stdout
    assert "tok:13a" in found.stdout
    assert "1 of 3 texts are empty" in found.stdout
    assert "language: en (told by the script" in found.stdout
    assert json.loads((tmp_path / "scores.json").read_text())["scores"]["written.txt"]["bleu"]["value"] == wanted


def test_a_models_perplexity(tmp_path: Path) -> None:
    model = make("short", tmp_path / "model")
    text = lines(tmp_path / "text.txt", TEXT)
    found = hornbook("perplexity", model, text, "--window", 64, "--stride", 32, "--out", tmp_path / "out")
    assert found.returncode == 0, found.stderr
    assert "bits per byte" in found.stdout
    assert json.loads((tmp_path / "out" / "model" / "perplexity.json").read_text())["about"]["stride"] == 32


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("text", "three.txt", "two.txt"), "has 2 segments and three.txt has 3"),
        (("text", "three.txt", "none.txt"), "error: none.txt: no such file"),
        (("text", "three.txt", "--metrics", "bleu"), "bleu wants references"),
        (("text", "three.txt", "--language", "english"), "'english' is not known; take en, zh, words, characters"),
        (("perplexity", "none", "three.txt"), "none"),
        (("perplexity", "none", "nothing.txt"), "error: nothing.txt: no such file"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "three.txt", "a cat", "a dog", "a bird")
    lines(tmp_path / "two.txt", "a cat", "a dog")
    found = hornbook(*words)
    assert found.returncode == 2
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr
