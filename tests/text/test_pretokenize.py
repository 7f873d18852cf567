# ruff: noqa: RUF001 - signs that look alike are meant
"""Splits: nothing is lost, every engine finds the same pieces, blocks change none of them, Chinese is cut fairly."""

import re
import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from hornbook.core.errors import UserError
from hornbook.text import pretokenize
from hornbook.text.pretokenize import BLOCK, CL100K, GPT2, HAN, Split, named, split

SPLITS = pytest.mark.parametrize("cutter", [GPT2, CL100K, HAN], ids=lambda cutter: cutter.name)

# Text as it comes: words, quotes, runs of spaces and line ends, digits, Chinese, Japanese, emoji, marks, controls.
PARTS = st.sampled_from(
    [
        *("the", "It's", "'S", "'re", "'ſ", "don't", "'test'", "été", "e\u0301", "हिन्दी", "ไทย", "한국어", "ß", "ſ"),
        *(" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n ", "\x0b", "\x1c", "\x85", "\xa0", "\u3000", "\u2028"),
        *(
            "7",
            "2026",
            "123456",
            "½",
            "，",
            "。",
            "中",
            "床前明月光",
            "一二三",
            "〇",
            "々",
            "ひらがな",
            "カタカナ",
            "ー",
        ),
        *("👩\u200d👩\u200d👧", "🇨🇳", "\u200b", "\x00", "\x7f", "_", "==", "->", "…", "(", '"', ";\r\n", ".\n\r\n"),
        *("a" * 40, "-" * 70, " " * 70, "\n" * 40, "汉" * 40, " " * 33 + "\n"),
    ]
)
TEXTS = st.lists(PARTS | st.text(max_size=3).filter(lambda text: old(text)), max_size=30).map("".join)


def old(text: str) -> bool:
    """Whether all engines know the characters: they follow different years of Unicode, the newest 18, the oldest 16."""
    return all(unicodedata.category(character) not in ("Cn", "Cs") for character in text)


@SPLITS
@given(text=TEXTS)
def test_nothing_is_lost_or_added(cutter: Split, text: str) -> None:
    assert "".join(cutter.pieces(text)) == text


@SPLITS
@given(text=TEXTS)
def test_the_pieces_are_those_of_tokenizers(cutter: Split, text: str) -> None:
    engine = pre_tokenizers.Split(Regex(cutter.pattern), "isolated")
    assert list(cutter.pieces(text)) == [piece for piece, _ in engine.pre_tokenize_str(text)]


@SPLITS
@given(text=TEXTS)
def test_the_faster_pattern_finds_the_same_pieces(cutter: Split, text: str) -> None:
    assert regex.findall(cutter.fast, text) == regex.findall(cutter.pattern, text)


@SPLITS
@settings(max_examples=400)
@given(text=st.text(st.characters(max_codepoint=127)) | TEXTS.map(lambda text: text.encode("ascii", "ignore").decode()))
def test_the_ascii_pattern_finds_the_same_pieces(cutter: Split, text: str) -> None:
    assert re.findall(cutter.ascii, text, re.ASCII) == regex.findall(cutter.pattern, text)


@SPLITS
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), block=st.integers(1, 40))
def test_blocks_change_no_piece(cutter: Split, texts: list[str], block: int) -> None:
    text = " ".join(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretokenize, "BLOCK", block)
        assert list(cutter.pieces(text)) == regex.findall(cutter.pattern, text)


@SPLITS
def test_a_long_text_comes_in_blocks(cutter: Split) -> None:
    text = "some words of a text\n" * 5000
    assert max(map(len, cutter.blocks(text))) < BLOCK + 30
    assert "".join(cutter.blocks(text)) == text


@pytest.mark.parametrize("letter", ["a", "汉", "カ", "7", "-", " ", "\n", "ก"])
def test_han_caps_every_run(letter: str) -> None:
    pieces = list(HAN.pieces(letter * 100_000))
    assert max(map(len, pieces)) <= 65
    assert "".join(pieces) == letter * 100_000


def test_han_keeps_scripts_apart_and_quotes_whole() -> None:
    pieces = ["用", "Python", "写程序", "，", "它", "'s", " ", "202", "6", "年", " f", "('", "test", "')"]
    assert list(HAN.pieces("".join(pieces))) == pieces
    assert list(HAN.pieces("'test'")) == ["'test", "'"]
    assert list(HAN.pieces("コーヒーを飲む")) == ["コーヒー", "を", "飲", "む"]
    assert list(CL100K.pieces("我们今天学习Python编程")) == ["我们今天学习Python编程"]


def test_names() -> None:
    assert named(CL100K.pattern) == "cl100k"
    assert named(r"\w+") is None
    with pytest.raises(UserError, match="'gpt3' is not one of gpt2, cl100k, han"):
        split("gpt3")
