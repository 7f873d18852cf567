# ruff: noqa: RUF001 - Chinese punctuation is meant
"""FineWeb's rules, each with a text that breaks it and its neighbour that does not."""

import pytest

from hornbook.corpus.document import Document
from hornbook.corpus.fineweb import FineWeb

LINE = "The committee met on Tuesday and agreed on nothing at all."


@pytest.mark.parametrize(("text", "reason"), [
    (f"{LINE}\nThen it rained for a week and for another.", None),
    (" \n ", "empty"),
    ("Products and prices of our newest range of shoes\n" * 1, "few lines end a sentence"),
    (f"{LINE}\nHome.\nNews.\nSport.", "mostly short lines"),
    (f"{LINE}\n{LINE}", "characters in repeated lines"),
    (f"{LINE}\n\n\n\n\n\nThen it rained for a week and for another.", None),
    (f"{LINE}\n\n\n\n\n\n\n\n\nThen it rained for a week and for another.", "too many lines for its words"),
    ("子曰：「學而時習之，不亦說乎？」\n有子曰：「其為人也孝弟。」", None),
    ("首頁。\n新聞。\n體育。", "mostly short lines"),
    ("融通内需驱动基金拟首次分红\n丰田雷克萨斯在美销量超越奔驰宝马", "few lines end a sentence"),
])  # fmt: skip
def test_every_rule_drops_and_keeps(text: str, reason: str | None) -> None:
    assert FineWeb().reason(Document("", text, "")) == reason


def test_thresholds_are_the_fields() -> None:
    assert list(FineWeb(max_short_lines=1.0, short_line=5).reasons("Yes.\nNo.\nIt may be so.")) == []
    assert list(FineWeb(short_unspaced_line=20).reasons("子曰：「學而時習之，不亦說乎？」")) == ["mostly short lines"]
    with pytest.raises(ValueError, match="max_repeated: 5 is not a share"):
        FineWeb(max_repeated=5)
