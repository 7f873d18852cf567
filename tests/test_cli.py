"""What a stranger types, right or wrong: each wrong thing is one sentence with place and fix, and exit code 2."""

import json
import sys
from pathlib import Path

import pytest

from hornbook.cli import main
from tests.test_build import SMALL, make, write_english


def run(capsys, monkeypatch, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["hornbook", *map(str, arguments)])
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def hornbook(capsys, monkeypatch):
    return lambda *arguments: run(capsys, monkeypatch, *arguments)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("trained")
    write_english(place / "files")
    make(place / "run", place / "files").train("pretrain")
    return place


def test_help_names_every_command_with_an_example(hornbook):
    code, out, _ = hornbook("--help")
    assert code == 0
    commands = ["build", "train", "corpus", "evaluate", "generate", "chat", "show", "compare", "report", "doctor"]
    for command in commands:
        assert command in out
        code, shown, _ = hornbook(command, "--help")
        assert code == 0
        assert f"Example: hornbook {command}" in shown


def test_a_mistyped_command_is_guessed(hornbook):
    code, _, err = hornbook("biuld", "demo")
    assert code == 2
    assert "Did you mean 'build'?" in err


BAD_FILES = {
    "missing": (lambda folder: folder / "nowhere", "nowhere: no such file or folder"),
    "empty folder": (lambda folder: _made(folder / "none"), "none: no file in it"),
    "empty file": (lambda folder: _written(folder / "a.txt", b""), "a.txt"),
    "not text": (lambda folder: _written(folder / "a.txt", bytes(range(128, 256)) * 3), "a.txt"),
    "broken line": (
        lambda folder: _written(folder / "a.jsonl", b'{"text": "fine fine fine fine"}\n{"text": '),
        "a.jsonl:2",
    ),
    "wrong column": (lambda folder: _written(folder / "a.jsonl", b'{"body": "x"}\n'), "body"),
    "too small": (lambda folder: _written(folder / "a.txt", b"Only one short line of text here."), "tokens"),
}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_source_is_one_sentence(hornbook, tmp_path, kind):
    make_source, words = BAD_FILES[kind]
    small = [*SMALL, "data.length=64"]
    code, _, err = hornbook(
        "train", "tiny/pretrain", *small, f"corpus.source={make_source(tmp_path)}", "--run", tmp_path / "run"
    )
    assert code == 2
    assert err.startswith("error: ")
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run" / "model").exists()
    assert not list((tmp_path / "run").glob(".*.aside")) if (tmp_path / "run").exists() else True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "tiny/pretran"], "no such recipe file, nor a built-in recipe (did you mean 'tiny/pretrain'?)"),
        (
            ["train", "tiny/pretrain", "pretrain.step=3"],
            "pretrain.step: train has no such field (did you mean 'steps'?)",
        ),
        (["train", "tiny/pretrain", "pretrain.steps"], "an override is written key=value"),
        (["train", "tiny/pretrain", "model.stack.layer.0.heads=5"], "heads"),
        (["train", "tiny/pretrain", "--stage", "instruct"], "this recipe has no 'instruct'; it has pretrain"),
        (["generate", "no/such/model", "x"], "no/such/model: no such folder"),
        (["evaluate", "nowhere"], "nowhere: is no run folder"),
        (["report", "nowhere"], "nowhere"),
        (["compare", "nowhere", "elsewhere"], "nowhere"),
        (["tokenizer", "encode", "nowhere", "x"], "nowhere: no tokenizer.json"),
    ],
)
def test_a_bad_argument_is_one_sentence(hornbook, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, _, err = hornbook(*arguments)
    assert code == 2
    assert err.startswith("error: ")
    assert words in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_permission_is_one_sentence(hornbook, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    write_english(tmp_path / "files", 3)
    code, _, err = hornbook(
        "train", "tiny/pretrain", *SMALL, f"corpus.source={tmp_path / 'files'}", "--run", blocker / "run"
    )
    assert code == 2
    assert "name another place" in err


def test_a_trained_run_writes_encodes_and_reports(hornbook, trained):
    code, out, err = hornbook("generate", trained / "run", "The old", "-n", "5", "--temperature", "0", "--seed", "1")
    assert (code, err) == (0, "")
    assert out.startswith("The old")
    code, ids, _ = hornbook("tokenizer", "encode", trained / "run", "The cat sees")
    assert code == 0
    code, text, _ = hornbook("tokenizer", "decode", trained / "run", *ids.split())
    assert (code, text) == (0, "The cat sees\n")
    code, out, _ = hornbook("report", trained / "run")
    assert code == 0
    assert Path(out.strip()).stat().st_size > 5000


def test_an_id_that_is_no_token_is_refused(hornbook, trained):
    code, _, err = hornbook("tokenizer", "decode", trained / "run", "99999")
    assert code == 2
    assert "99999: no such token; this tokenizer's ids end at" in err


def test_the_tokens_of_another_tokenizer_are_refused(hornbook, trained, tmp_path):
    import shutil

    shutil.copytree(trained / "run", tmp_path / "run")
    manifest = tmp_path / "run" / "shards" / "manifest.json"
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**data, "tokenizer": "0" * 64}))
    shutil.rmtree(tmp_path / "run" / "model")
    code, _, err = hornbook(
        "train", "tiny/pretrain", *SMALL, f"corpus.source={trained / 'files'}", "--run", tmp_path / "run"
    )
    assert code == 2
    assert "made with another tokenizer" in err
