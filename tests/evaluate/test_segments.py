"""The script says how texts are cut, and in doubt nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.tokenizers import DefaultTokenizer

from hornbook.core.errors import UserError
from hornbook.evaluate.segments import Segments, bare_words, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A café is rare in so many words. " + "The others are plain English prose. " * 3, "en"),
        ("Ein Mann schläft in einem grünen Raum auf einem Sofa.", "words"),
        ("Мама мыла раму.", "words"),
        ("남자가 방에서 자고 있다.", "words"),
        ("一个男人在房间里睡觉。", "zh"),
        ("我们用 BERT 做分类,效果很好。", "zh"),
        ("男の人が緑の部屋で寝ている。", "characters"),
        ("ผู้ชายนอนอยู่ในห้อง", "characters"),
        ("1 + 1 = 2", "en"),
    ],
)
def test_the_script_says(text: str, language: str) -> None:
    assert language_of([text]) == language


def test_references_decide_and_written_texts_only_where_there_are_none() -> None:
    assert language_of(["not translated at all"], [["一个男人在房间里睡觉。"]]) == "zh"
    assert language_of(["一个男人"], [[""]]) == "zh"


def test_two_scripts_are_not_guessed() -> None:
    with pytest.raises(UserError, match=r"8 words and 2 characters of scripts without spaces; say --language"):
        language_of(["the word 道 means way and 德 means its power"])


@given(st.text(st.characters(max_codepoint=127)))
def test_english_is_cut_as_rouge_score_cuts_it(text: str) -> None:
    assert bare_words(text) == DefaultTokenizer().tokenize(text)


def test_letters_that_rouge_score_would_lose() -> None:
    assert DefaultTokenizer().tokenize("été à Köln") == ["t", "k", "ln"]
    assert bare_words("été à Köln") == ["été", "à", "köln"]


def test_what_is_nothing_or_uneven_is_refused() -> None:
    with pytest.raises(UserError, match="nothing was written: all of 2 segments are empty"):
        Segments(["", " \n"])
    with pytest.raises(ValueError, match="2 texts and 1 references"):
        Segments(["a", "b"], [["a"]])
