import pytest

from hornbook.align.words import Words, fill


def test_a_text_with_braces_is_not_filled_again() -> None:
    assert fill("{a}{b}", a="{b}", b="2") == "{b}2"
    assert fill("{unknown} {a}", a="1") == "{unknown} 1"


@pytest.mark.parametrize("changes", [{"compare": "{choose} {a} {b}"}, {"ask": "{conversation}"}])
def test_a_form_without_its_blank_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"has no \{(conversation|question)\}, where the text goes"):
        Words(**changes)
