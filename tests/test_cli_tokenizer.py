"""The tokenizer commands, from files to ids and back, and to a page."""

import re

import pytest

from hornbook.text.tokenizer import load
from tests.test_build import write_chinese, write_english
from tests.test_cli import run


@pytest.fixture
def hornbook(capsys, monkeypatch):
    return lambda *arguments: run(capsys, monkeypatch, *arguments)


@pytest.fixture
def trained(tmp_path, hornbook):
    write_english(tmp_path / "files")
    write_chinese(tmp_path / "files" / "zh")
    code, out, _ = hornbook("tokenizer", "train", tmp_path / "files", "--vocab", 400, "--out", tmp_path / "tokenizer")
    assert code == 0
    assert out.endswith("tokenizer: 400 tokens\n")
    return tmp_path / "tokenizer"


def test_encode_and_decode_are_inverse_in_any_script(hornbook, trained):
    for text in ("The cat sees.", "春風花月。", "naïve 🙂 <|endoftext|>"):
        _, ids, _ = hornbook("tokenizer", "encode", trained, text)
        assert hornbook("tokenizer", "decode", trained, *ids.split())[1] == text + "\n"


def test_only_on_demand_a_special_token_is_its_id(hornbook, trained):
    plain = hornbook("tokenizer", "encode", trained, "<|endoftext|>")[1].split()
    special = hornbook("tokenizer", "encode", trained, "--special", "<|endoftext|>")[1].split()
    assert len(plain) > 1
    assert special == ["397"]


def test_the_view_shows_the_text_and_writes_a_page_that_needs_no_network(hornbook, trained, tmp_path):
    code, out, _ = hornbook("tokenizer", "view", trained, "The old bird")
    assert code == 0
    assert "old" in out
    page = tmp_path / "page.html"
    assert hornbook("tokenizer", "view", trained, "The <b> bird 春", "--html", page)[0] == 0
    html = page.read_text(encoding="utf-8")
    assert "<b>" not in html.partition("<body")[2].replace("<body", "")
    assert "http" not in html.replace("http-equiv", "")


@pytest.fixture
def words(tmp_path, trained, hornbook):
    asked = ("--type", "wordpiece", "--vocab", 200, "--set", "alphabet=60", "--set", "lowercase=false")
    code, out, err = hornbook("tokenizer", "train", tmp_path / "files", *asked, "--out", tmp_path / "words")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"vocab: the text holds only (\d+) of the 200 ids .*\n.*/words: \1 tokens\n", out)
    return tmp_path / "words"


def test_wordpiece_has_the_same_commands(hornbook, words, tmp_path):
    _, ids, _ = hornbook("tokenizer", "encode", words, "The  cat sees")
    assert hornbook("tokenizer", "decode", words, *ids.split())[1] == "The cat sees\n"
    assert "The" in hornbook("tokenizer", "view", words, "The cat")[1]
    code, out, _ = hornbook("tokenizer", "convert", words, tmp_path / "out", "--format", "vocab.txt")
    assert (code, out.split()) == (0, [f"{tmp_path}/out/tokenizer_config.json", f"{tmp_path}/out/vocab.txt"])
    assert hornbook("tokenizer", "encode", tmp_path / "out", "The  cat sees")[1] == ids


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "stdlib", "--type", "word", "--out", "x"], "--type: 'word' is not one of bpe, wordpiece"),
        (["train", "stdlib", "--type", "wordpiece", "--split", "han", "--out", "x"], "word_piece has no such field"),
        (["train", "stdlib", "--set", "vocab", "--out", "x"], "an override is written key=value"),
        (["train", "stdlib", "--type", "wordpiece", "--vocab", "100", "--out", "x"], "give 2005 or more"),
        (["convert", "{words}", "x", "--format", "gpt2"], "this one is WordPiece; hugging-face holds every tokenizer"),
        (["convert", "nowhere", "x"], "nowhere: no tokenizer.json nor vocab.bpe"),
        (["compare", "{words}", "--text", "{words}"], "is a folder, a file is wanted"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(hornbook, words, arguments, sentence):
    code, _, err = hornbook("tokenizer", *(each.replace("{words}", str(words)) for each in arguments))
    assert (code, err.count("\n")) == (2, 1)
    assert sentence in err


def test_tokenizers_are_compared_by_bytes_per_token(hornbook, trained, words, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("The cat sees the bird. " * 20)
    code, out, _ = hornbook("tokenizer", "compare", trained, words, "--text", text)
    assert code == 0
    assert "text.txt, 460 bytes" in out
    found = {line.split("  ")[0].strip(): line.split()[-2:] for line in out.splitlines() if "  " in line.strip()}
    assert found["vocabulary"] == ["400", str(load(words).vocab)]
    assert found["text comes back"] == ["yes", "no"]


def test_a_source_without_text_is_refused(hornbook, tmp_path):
    code, _, err = hornbook("tokenizer", "train", tmp_path / "none", "--out", tmp_path / "t")
    assert code == 2
    assert "no such file or folder" in err
    code, _, err = hornbook("tokenizer", "train", tmp_path, "--vocab", 9, "--out", tmp_path / "t")
    assert code == 2
    assert "no room for 256 bytes" in err
