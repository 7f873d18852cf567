"""Charsmaps compiled by sentencepiece, beside its normaliser and Unicode's own NFKC."""

import unicodedata
from pathlib import Path

import pytest
import sentencepiece

from hornbook.text import sentencepiece_model
from hornbook.text.charsmap import Charsmap
from tests.text.made_up_pieces import ODD, trained, whole


@pytest.fixture(scope="module")
def nfkc() -> Charsmap:
    rules = sentencepiece_model.parse(trained(model_type="bpe", normalization_rule_name="nfkc")).rules
    assert rules.name == "nfkc"
    return Charsmap(rules.charsmap)


def test_nfkc_of_every_character(nfkc: Charsmap) -> None:
    """Characters younger than the charsmap's Unicode stay as they are."""
    characters = [chr(i) for i in range(1, 0x110000) if unicodedata.category(chr(i)) not in ("Cs", "Cn")]
    wrong = {c for c in characters if nfkc.apply(f"中{c}中") != f"中{unicodedata.normalize('NFKC', c)}中"}
    assert len(wrong) < 150
    assert all(nfkc.apply(f"中{c}中") == f"中{c}中" for c in wrong)


def test_what_was_decomposed_is_composed(nfkc: Charsmap) -> None:
    for text in ["é", "ǖ", "각", "パ", "क़", "Å"]:
        assert nfkc.apply(unicodedata.normalize("NFD", text)) == unicodedata.normalize("NFKC", text)
    assert nfkc.match("e\u0301x", 0) == ("é", 2)
    assert nfkc.match("e\u0301x", 2) == ("x", 1)


@pytest.mark.parametrize("name", ["nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf"])
def test_texts_beside_the_published_normaliser(name: str) -> None:
    rules = sentencepiece_model.parse(trained(model_type="bpe", normalization_rule_name=name)).rules
    theirs = sentencepiece.SentencePieceNormalizer(
        rule_name=name, add_dummy_prefix=False, remove_extra_whitespaces=False, escape_whitespaces=False
    )
    charsmap = Charsmap(rules.charsmap)
    for text in map(whole, ODD):
        for _ in range(2):  # the second time from memory
            assert charsmap.apply(text) == theirs.normalize(text)


def test_real_text_beside_the_published_normaliser(shared_data: Path) -> None:
    path = shared_data / "tokenizers" / "t5" / "t5_tokenizer_base.model"
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(path))
    rules = sentencepiece_model.read(path).rules
    for name in ("wiki_demo/wiki_demo.txt", "chinese-poetry/论语__lunyu.json"):
        for line in (shared_data / "text" / name).read_text(encoding="utf-8").split("\n")[:200]:
            assert rules.normalize(line) == theirs.normalize(line)


@pytest.mark.parametrize("blob", [b"", b"\x01", b"\x00\x00\x00\x00", b"\x08\x00\x00\x00abcd", b"\x03\x00\x00\x00abcd"])
def test_what_is_no_charsmap_is_said(blob: bytes) -> None:
    with pytest.raises(ValueError, match=f"charsmap of {len(blob)} bytes is cut short"):
        Charsmap(blob)
