"""`hornbook generate`: options that reach the model, forms that are kept, what does not go together."""

import json

import pytest

from tests.test_cli import run


@pytest.fixture
def hornbook(capsys, monkeypatch):
    return lambda *arguments: run(capsys, monkeypatch, *arguments)


def test_guessing_ahead_and_one_beam_write_the_greedy_text(hornbook, tiny_base):
    command = ("generate", tiny_base, "The fox", "-n", 8, "--temperature", 0)
    plain = hornbook(*command)
    assert plain[0] == 0
    assert plain[1].startswith("The fox")
    assert plain == hornbook(*command, "--lookup") == hornbook(*command, "--draft", tiny_base)
    assert plain == hornbook(*command, "--beams", 1)
    assert plain != hornbook(*command, "--repetition-penalty", 0.01)


def test_a_form_is_kept(hornbook, tiny_base, tmp_path):
    command = ("generate", tiny_base, "fox", "--seed", 1)
    assert hornbook(*command, "--regex", "[0-9]{3}")[1][3:].strip().isdigit()
    assert hornbook(*command, "--choices", "red,green")[1] in ("foxred\n", "foxgreen\n")
    (tmp_path / "s.json").write_text(
        '{"type": "object", "properties": {"a": {"enum": [1]}}, "required": ["a"], "additionalProperties": false}'
    )
    assert json.loads(hornbook(*command, "--schema", tmp_path / "s.json")[1][3:])["a"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give a prompt, or --file FILE"),
        (("x", "--file", "a.txt"), "give a prompt, or --file FILE"),
        (("--file", "a.txt"), "--file and --out go together"),
        (("--file", "nowhere.txt", "--out", "o.jsonl"), "nowhere.txt"),
        (("x", "--beams", "2", "--lookup"), "--beams and --lookup do not go together"),
        (("x", "--lookup", "--regex", "a"), "--lookup does not go with --regex"),
        (("x", "--regex", "("), "the form that was asked for is not understood"),
        (("x", "--typical-p", "0"), "typical_p: 0.0 is not a share"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(hornbook, tiny_base, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code, _, err = hornbook("generate", tiny_base, *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert sentence in err
    assert list(tmp_path.iterdir()) == []


def test_packed_matrices_write_and_an_unknown_kind_is_told(hornbook, tiny_base):
    command = ("generate", tiny_base, "The fox", "-n", 4, "--temperature", 0)
    assert hornbook(*command, "--quantise", "int8")[1].startswith("The fox")
    code, _, said = hornbook(*command, "--quantise", "int3")
    assert code == 2
    assert "'int3' is no way to store a matrix; take int8, int4, bf16" in " ".join(said.split())
