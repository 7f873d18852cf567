# ruff: noqa: RUF001 - Chinese punctuation is meant
"""Gopher's quality rules: one text dropped and one kept for every reason; agreement is in test_datatrove.py."""

import pytest

from hornbook.corpus.document import Document
from hornbook.corpus.gopher import GopherQuality

PROSE = "It was the best of times, and it was the worst of times, that we have to be with. " * 4
CHINESE = "孟子見梁惠王。王曰：「叟不遠千里而來，亦將有以利吾國乎？」孟子對曰：「王何必曰利？亦有仁義而已矣。」" * 3


@pytest.mark.parametrize(("text", "reason"), [
    (PROSE, None),
    (PROSE[:100], "too few words"),
    ("", "too few words"),
    ("I am to be at it. " * 20, "words too short"),
    ("Internationalization notwithstanding extraterritoriality. " * 40, "words too long"),
    (PROSE + "# " * 40, "too many hashes"),
    (PROSE + "... " * 40, "too many ellipses"),
    ("\n".join(f"- {line}" for line in PROSE.split(".") * 4), "mostly bullets"),
    (PROSE.replace(". ", "...\n"), "lines end in ellipses"),
    (PROSE + "1234 " * 50, "too few words with letters"),
    ("Cats chase mice across gardens where nobody sees them running. " * 8, "too few stop words"),
    (CHINESE, None),
    (CHINESE[:40], "too few words"),
    ("\n".join(f"● {line}" for line in CHINESE.split("。")), "mostly bullets"),
])  # fmt: skip
def test_every_rule_drops_and_keeps(text: str, reason: str | None) -> None:
    assert GopherQuality().reason(Document("", text, "")) == reason


def test_thresholds_are_the_fields() -> None:
    assert next(GopherQuality(min_words=1, max_words=20).reasons(PROSE)) == "too many words"
    assert list(GopherQuality(min_words=1).reasons("The way of those that have cats")) == []
    assert list(GopherQuality(stop_words=("cat", "dog"), min_words=1).reasons("The way of those that have cats")) == [
        "too few stop words"
    ]


def test_chinese_counts_fifteen_characters_as_ten_words() -> None:
    text = "山" * 75
    assert "too few words" not in GopherQuality(min_words=50).reasons(text)
    assert "too few words" in GopherQuality(min_words=51).reasons(text)


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"min_words": 9, "max_words": 8}, "min_words: 9 is above max_words 8"),
    ({"stop_words": ("a",)}, "min_stop_words: 2 of 1 stop words"),
    ({"max_hashes": 2.0}, r"max_hashes: 2\.0 is not a share"),
])  # fmt: skip
def test_thresholds_that_cannot_be_are_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        GopherQuality(**fields)  # type: ignore[arg-type]
