"""`hornbook show` of a file of rows, as a stranger types it."""

import json
import sys
from pathlib import Path

import pytest

from hornbook.cli import main


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["hornbook", "show", *map(str, arguments)])
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def hornbook(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    return lambda *arguments: run(capsys, monkeypatch, *arguments)


def test_the_trained_tokens_of_a_file(hornbook, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"question": "Who?", "answer": "Me."}) + "\n")
    options = ("columns.prompt=question", "columns.completion=answer", "--template", "book", "--rows", 1)
    code, out, err = hornbook(path, "--mask", *options)
    assert (code, err) == (0, "")
    assert "### Response:\n⟦Me.<|endoftext|>⟧" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere.jsonl", "--mask"), "error: nowhere.jsonl: no such file"),
        ((".", "--mask", "--template", "chatlm"), "error: template: 'chatlm' is no file and none of"),
        ((".", "--mask", "--model", "./nobody"), "nobody: no such folder"),
        ((".", "--mask", "form=alpaca"), "form: conversations has no such field (did you mean 'format'?)"),
    ],
)
def test_what_is_mistyped_is_one_sentence(hornbook, arguments: tuple[str, ...], sentence: str) -> None:
    code, _, err = hornbook(*arguments)
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1


def test_a_recipe_is_shown_as_before(hornbook) -> None:
    code, out, _ = hornbook("models/llama-tiny")
    assert code == 0
    assert "stack.layers" in out
