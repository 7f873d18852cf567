import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.clean import MinimumLength, Normalise, normalise
from hornbook.corpus.document import Document


def document(text: str, name: str = "d") -> Document:
    return Document(name, text, "s")


@pytest.mark.parametrize(
    ("raw", "text", "reasons"),
    [
        ("plain\n\ttab  two \x0c form\n\n", "plain\n\ttab  two \x0c form\n\n", []),
        ("a\r\nb\rc\n", "a\nb\nc\n", ["line ends"]),
        ("\ufeffa\0b", "ab", ["byte order mark", "NUL"]),
        ("cafe\u0301", "caf\u00e9", ["NFC"]),
        ("한".encode().decode(), "한", []),
        ("\ud800x", "\ufffdx", ["lone surrogate"]),
    ],
)
def test_each_change_has_its_reason(raw: str, text: str, reasons: list[str]) -> None:
    assert normalise(raw) == (text, reasons)


@given(st.text(st.characters()))
def test_normal_form_is_reached_in_one_go_and_can_be_written(text: str) -> None:
    once, _ = normalise(text)
    assert normalise(once)[0] == once or once.startswith("\ufeff")  # only the first of two marks is a mark
    assert unicodedata.is_normalized("NFC", once)
    assert not set("\r\0") & set(once)
    once.encode()


@given(st.text(st.sampled_from(" \tabc(){}:#\n"), max_size=200))
def test_code_is_left_alone(text: str) -> None:
    result = Normalise()([document(text)])
    assert result.kept[0].text is text
    assert result.changed == []


def test_short_and_empty_texts_are_dropped_with_a_reason() -> None:
    texts = ["", " \n\t ", "abcd", "  abcd  ", "abcde", "論語學而也"]
    result = MinimumLength(characters=5)([document(text) for text in texts])
    assert [kept.text for kept in result.kept] == ["abcde", "論語學而也"]
    assert [reason for _, reason in result.dropped] == ["empty", "empty", "too short", "too short"]
