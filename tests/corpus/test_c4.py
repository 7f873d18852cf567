# ruff: noqa: RUF001 - Chinese punctuation is meant
"""C4: which lines stay, which pages go."""

import pytest

from hornbook.corpus.c4 import C4, C4Paragraphs
from hornbook.corpus.document import Document

PAGE = 'The cat sat down. It was late.\nThe dog barked twice! Why did it?\n"Nobody knows," they said.'


@pytest.mark.parametrize(("line", "reason"), [
    ("Home | News | Sport", "lines do not end a sentence"),
    ("And so on and on...", "lines do not end a sentence"),
    ("Not much.", "lines of few words"),
    ("Please enable Javascript to see this page.", "lines about javascript"),
    ("By reading on you accept our Privacy Policy.", "lines about policies"),
    ("Here it is: " + "x" * 1_001 + ".", "lines with a huge word"),
])  # fmt: skip
def test_lines_that_are_no_sentences_go(line: str, reason: str) -> None:
    result = C4().build()([Document("a", f"{PAGE}\n{line}", "s", url="u")])
    ((before, why),) = result.changed
    assert (result.kept[0].text, result.kept[0].url, why) == (PAGE, "u", reason)
    assert before.text.endswith(line)


@pytest.mark.parametrize(("text", "reason"), [
    ("The cat sat down. It was late.", "too few sentences"),
    (f"{PAGE}\nif (a) {{ return b; }} and that is all.", "curly bracket"),
    (f"{PAGE}\nLorem ipsum dolor sit amet.", "lorem ipsum"),
    ("", "too few sentences"),
])  # fmt: skip
def test_pages_go(text: str, reason: str) -> None:
    document = Document("a", text, "s")
    assert C4()([document]).dropped == [(document, reason)]


def test_citations_go_and_nothing_else() -> None:
    text, dropped, why = C4().judge(PAGE.replace("late.", "late.[12][citation needed]"))
    assert (text, dropped, why) == (PAGE, None, "white space and citations")
    assert C4()([Document("a", PAGE, "s")]).changed == []


def test_chinese_lines_are_counted_in_characters() -> None:
    text = "子曰：“學而時習之，不亦說乎？有朋自遠方來，不亦樂乎？”\n有子曰：「其為人也孝弟！」\n不然。\n首頁 新聞 體育"
    kept, dropped, _ = C4(min_sentences=3).judge(text)
    assert (kept.split("\n"), dropped) == (text.split("\n")[:2], None)


def test_lines_that_do_not_end_can_stay() -> None:
    assert C4(unfinished_lines=True).judge(f"{PAGE}\nAll about our cats")[0].endswith("our cats")


def test_a_page_of_code_can_stay() -> None:
    text = "function f() { return 'a'; } is all that there is."
    assert C4(min_sentences=1, curly_brackets=True).judge(text) == (text, None, "white space and citations")


@pytest.mark.parametrize(
    ("unit", "kept"), [("a" * 200, True), ("a" * 199, False), ("山" * 67, True), ("山" * 66, False)]
)
def test_three_paragraphs_are_an_article(unit: str, kept: bool) -> None:
    reason = C4Paragraphs().reason(Document("a", "\n".join([unit] * 3), "s"))
    assert reason == (None if kept else "too few paragraphs")
    assert C4Paragraphs().reason(Document("a", f"{unit}\n{unit}", "s")) == "too few paragraphs"


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="min_sentences: -1 is below zero"):
        C4(min_sentences=-1)
