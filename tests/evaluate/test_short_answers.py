# ruff: noqa: RUF001 - Chinese signs are meant
"""Exact match and F1 against SQuAD 2.0's rules, written out as its paper's script has them; Chinese by hand."""

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.evaluate.segments import Segments
from hornbook.evaluate.short_answers import answer_words, exact_match, token_f1

ANSWER = st.text("aA nthe.,x$1-'\t", max_size=12) | st.sampled_from(["The cat", "a cat!", "an", "", "cat  the"])


def normal(text: str) -> str:
    """Lower case, then no signs, then no articles, then single spaces: the order of the official script."""
    bare = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def reference_f1(gold: str, said: str) -> float:
    one, other = normal(gold).split(), normal(said).split()
    same = sum((Counter(one) & Counter(other)).values())
    if not one or not other:
        return int(one == other)
    if not same:
        return 0
    precision, recall = same / len(other), same / len(one)
    return 2 * precision * recall / (precision + recall)


@given(st.lists(st.tuples(ANSWER, st.lists(ANSWER, min_size=1, max_size=3)), min_size=1))
def test_as_the_official_script(pairs: list[tuple[str, list[str]]]) -> None:
    segments = Segments(["x", *(said for said, _ in pairs)], [["x"], *(golds for _, golds in pairs)])
    assert exact_match(segments).each[1:] == [
        max(float(normal(gold) == normal(said)) for gold in golds) for said, golds in pairs
    ]
    wanted = [max(reference_f1(gold, said) for gold in golds) for said, golds in pairs]
    assert token_f1(segments).each[1:] == pytest.approx(wanted)


def test_chinese_by_hand() -> None:
    """Three of four characters on either side; signs and spaces do not count."""
    segments = Segments(["孔子说过。", "《 论语 》"], [["孔子讲过"], ["论语", "孟子"]], "zh")
    assert token_f1(segments).each == pytest.approx([3 / 4, 1.0])
    assert exact_match(segments).each == [0.0, 1.0]
    assert answer_words("GPT-4 发布于2023年！", "zh") == ["gpt4", "发", "布", "于", "2023", "年"]


def test_articles_are_english() -> None:
    assert answer_words("A an to", "words") == ["a", "an", "to"]
    assert answer_words("A an to", "en") == ["to"]
