"""`hornbook embed` and `hornbook fill` as a person uses them."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hornbook.cli import app
from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.model.encoder import Encoder
from hornbook.text import tokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sat", "."]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    config = recipe.load(Encoder, "models/bert-tiny", [f"embed.vocab={len(WORDS)}"])
    LanguageModel(config.build(), tokenizer.load(folder)).save(folder / "model")
    return str(folder / "model")


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_few_texts_are_compared(model: str) -> None:
    shown = run("embed", model, "a cat", "a cat", "sat .")
    first = next(line for line in shown.splitlines() if line.strip().startswith("1 "))
    assert first.split()[-3:-1] == ["1", "1"]


def test_vectors_are_written_for_the_lines_of_a_file(model: str, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("a cat\n\nsat .\n")
    said = run("embed", model, str(tmp_path / "texts.txt"), "a", "--out", str(tmp_path / "v.npy"), "--normalize")
    assert said.strip() == f"{tmp_path / 'v.npy'}: 3 vectors of 48 numbers"
    vectors = np.load(tmp_path / "v.npy")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    run("embed", model, str(tmp_path / "texts.txt"), "a", "--out", str(tmp_path / "v.jsonl"), "--normalize")
    rows = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == ["a cat", "sat .", "a"]
    np.testing.assert_allclose([row["embedding"] for row in rows], vectors, atol=1e-6)


def test_masks_are_filled(model: str) -> None:
    shown = run("fill", model, "a [MASK] sat.", "--top", "3")
    assert "mask 1" in shown
    assert sum(any(line.strip().startswith(word) for word in WORDS) for line in shown.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a", "--out", "v.csv"], "v.csv: vectors are written as .npy or .jsonl; name it v.npy"),
        (["a"] * 13, "13 texts are too many to print"),
        (["a", "--pooling", "max"], "pooling: 'max' is not one of first, last, mean"),
    ],
)
def test_mistakes_are_one_sentence(model: str, arguments: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        CliRunner().invoke(app, ["embed", model, *arguments], catch_exceptions=False)
