"""The tokenizer commands, from files to ids and back, and to a page."""

import pytest

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


def test_tokenizers_are_compared_by_bytes_per_token(hornbook, trained, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("The cat sees the bird. " * 20)
    code, out, _ = hornbook("tokenizer", "compare", trained, "--text", text)
    assert code == 0
    assert "text.txt" in out
    assert "400" in out


def test_a_source_without_text_is_refused(hornbook, tmp_path):
    code, _, err = hornbook("tokenizer", "train", tmp_path / "none", "--out", tmp_path / "t")
    assert code == 2
    assert "no such file or folder" in err
    code, _, err = hornbook("tokenizer", "train", tmp_path, "--vocab", 9, "--out", tmp_path / "t")
    assert code == 2
    assert "no room for 256 bytes" in err
