"""`hornbook export`, and the commands that read what it wrote."""

import sys
from pathlib import Path

import pytest
import torch

from hornbook.cli import main
from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that chats, saved as a folder."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = BPE(vocab=300, split="cl100k", special=special).train(["the cat sat on the mat\n"] * 3, processes=1)
    model = recipe.load(Decoder, "models/qwen3-tiny", ["embed.vocab=304"]).build(torch.Generator().manual_seed(1))
    path = tmp_path_factory.mktemp("models") / "cat"
    LanguageModel(model.eval(), tokenizer, Renderer(tokenizer)).save(path)
    return path


@pytest.fixture
def hornbook(capsys, monkeypatch):
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hornbook", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_a_model_is_exported_and_used(hornbook, folder, tmp_path, monkeypatch):
    out = tmp_path / "cat.gguf"
    code, told, _ = hornbook("export", folder, out, "--type", "f32")
    assert (code, told.splitlines()[0]) == (0, f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    assert "llama-cpp-python is not installed" in told or "llama.cpp agrees on" in told
    greedy = ("--temperature", 0, "-n", 8)
    assert hornbook("generate", out, "the cat", *greedy) == hornbook("generate", folder, "the cat", *greedy)
    lines = {path: iter(["the cat?"]) for path in (out, folder)}
    said = []
    for path in (out, folder):

        def line(_: str, path: Path = path) -> str:
            try:
                return next(lines[path])
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", line)
        code, text, _ = hornbook("chat", path, *greedy)
        assert code == 0
        said.append(text.splitlines()[2:])
    assert said[0] == said[1]


def test_the_default_is_q8_0(hornbook, folder, tmp_path):
    assert hornbook("export", folder, tmp_path / "x.gguf")[0] == 0
    lm = LanguageModel.load(tmp_path / "x.gguf")
    assert lm.chats
    again, before = (LanguageModel.load(path).module for path in (tmp_path / "x.gguf", folder))
    ids = torch.arange(20)[None]
    with torch.no_grad():
        assert 0 < (again(ids).logits - before(ids).logits).abs().max() < 0.05


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("x.bin",), "error: x.bin: files are written as gguf or onnx; name it x.gguf"),
        (("x.gguf", "--type", "q3_k"), "error: type: 'q3_k' is not one of f32, f16, q4_0, q8_0"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(hornbook, folder, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code, _, err = hornbook("export", folder, *arguments)
    assert (code, err.startswith(sentence)) == (2, True)
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_one_sentence(hornbook, folder, tmp_path):
    out = tmp_path / "x.gguf"
    hornbook("export", folder, out)
    out.write_bytes(out.read_bytes()[:-1000])
    code, _, err = hornbook("generate", out, "the cat")
    assert code == 2
    assert err.startswith(f"error: {out}: truncated: tensor ")
    assert err.count("\n") == 1
