"""What a task file writes in braces."""

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate import template

ROW = {"id": "a.jsonl:3", "question": "Why?", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "Best Answer": "z"}


def test_braces_alone_are_the_value_and_with_words_a_text() -> None:
    assert template.value("{{choices.label.index('B')}}", ROW) == 1
    assert template.value(" {{choices.text}} ", ROW) == ["x", "y"]
    assert template.value("Q: {{question}}\n", ROW) == "Q: Why?\n"
    assert template.value("{{row['Best Answer']}}", ROW) == "z"
    assert template.value("{{question}} {{question}}", ROW) == "Why? Why?"
    assert template.value("{% set a = 2 %}{{a}}", ROW) == "2"


@pytest.mark.parametrize("wrong", ["{{questoin}}", "{{choices.label.index('C')}}", "{{choices.text[5]}}", "{{"])
def test_what_a_row_lacks_is_told_with_its_place(wrong: str) -> None:
    with pytest.raises(UserError, match=r"a.jsonl:3: .* cannot be made of it .*its columns are question, choices"):
        template.text(wrong, ROW)


def test_hellaswags_marks_are_taken_out() -> None:
    assert template.wikihow("How to tie [title] Cross the ends [substeps] now. ") == "How to tie. Cross the ends now."
    assert template.value("{{q|wikihow}}", {"q": "a [x]b"}) == "a b"
    assert template.small("") == ""
