"""Distinct n-grams and doubled texts, counted by hand and with every segment left out in turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.evaluate.diversity import different, distinct, duplicates, ngrams
from hornbook.evaluate.segments import Segments


def test_by_hand() -> None:
    """Seven words, three of them different; four pairs, of which three are different: the cat, cat sat, the sat."""
    found = distinct(Segments(["the cat sat", "the cat", "the sat"]))
    assert found["distinct1"].value == pytest.approx(3 / 7)
    assert found["distinct2"].value == pytest.approx(3 / 7)
    chinese = distinct(Segments(["好好学习"], language="zh"))
    assert (chinese["distinct1"].value, chinese["distinct2"].value) == (3 / 4, 3 / 4)


@given(st.lists(st.lists(st.sampled_from("abcde"), max_size=6), min_size=2, max_size=8))
def test_without_each_segment(groups: list[list[str]]) -> None:
    found = different(groups, [len(each) for each in groups], "")
    for left_out, value in enumerate(found.without):
        rest = groups[:left_out] + groups[left_out + 1 :]
        size = sum(map(len, rest))
        assert value == pytest.approx(len({thing for each in rest for thing in each}) / max(size, 1))


def test_what_was_said_before_is_counted_and_empty_texts_are_not() -> None:
    found = duplicates(Segments(["I do not know.", "Yes.", "I do not know. ", "", "", "I do not know."]))
    assert found.value == pytest.approx(2 / 4)


def test_ngrams_of_what_is_too_short() -> None:
    assert ngrams(["a"], 2) == []
