# ruff: noqa: RUF001 - Chinese punctuation is meant
"""Chinese: bad pages go, and nothing good goes by rules that were made for spaces."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from hornbook.corpus.chinese import ChineseQuality
from hornbook.corpus.document import Document
from hornbook.corpus.fineweb import FineWeb
from hornbook.corpus.gopher import GopherQuality
from hornbook.corpus.gopher_repetition import GopherRepetition
from tests.corpus import real_texts

PROSE = (
    "孟子見梁惠王。王曰：「叟不遠千里而來，亦將有以利吾國乎？」孟子對曰：「王何必曰利？亦有仁義而已矣。」\n"
    "王曰「何以利吾國」？大夫曰「何以利吾家」？士庶人曰「何以利吾身」？上下交征利而國危矣。"
)
FILTERS = (GopherQuality(), GopherRepetition(), FineWeb(), ChineseQuality())


@pytest.mark.parametrize(("text", "reason"), [
    (PROSE, None),
    (" \n ", "too few characters"),
    (PROSE[:30], "too few characters"),
    ("This page is in English, and only the name 孔子 is Chinese; all the rest is not.", "too little Chinese"),
    ("\n".join(["首頁", "新聞。", "體育", "登錄", "註冊，"] * 8), "lines too short"),
    (PROSE.translate({ord(sign): None for sign in "。，：「」？"}), "hardly any punctuation"),
    (PROSE + "。，！" * 30, "mostly punctuation"),
    (PROSE + "★→◆" * 10, "too many symbols"),
    (PROSE + "\n本站歡迎您的光臨，請常來看看。" * 6, "characters in repeated lines"),
    (PROSE[:60] + "點擊這裡查看更多精彩內容，不要錯過！" * 8, "repeats itself"),
])  # fmt: skip
def test_every_rule_drops_and_keeps(text: str, reason: str | None) -> None:
    assert ChineseQuality().reason(Document("", text, "")) == reason


def test_thresholds_are_the_fields() -> None:
    assert list(ChineseQuality(min_characters=9, min_mean_line=5).reasons("天地玄黃，宇宙洪荒。")) == []
    with pytest.raises(ValueError, match="min_chinese: 30 is not a share"):
        ChineseQuality(min_chinese=30)


def dropped(texts: Iterable[str]) -> Counter[str]:
    return Counter(
        f"{rule.name}: {why}" for text in texts for rule in FILTERS if (why := rule.reason(Document("", text, "")))
    )


def test_made_up_chinese_is_kept() -> None:
    assert dropped([f"{PROSE}\n故善戰者服上刑，連諸侯者次之，辟草萊、任土地者次之。"]) == {}


def test_classics_and_poems_are_kept(shared_data: Path) -> None:
    """The 34 chapters of the Analects and Mencius, 200 poems and songs: what goes is too short, or says it twice."""
    texts = list(real_texts.chinese(shared_data))[:234]
    assert dropped(texts[:34]) == {}
    reasons = dropped(texts[34:])
    length = {"gopher quality: too few words", "chinese quality: too few characters"}
    assert sum(count for reason, count in reasons.items() if reason not in length) <= 4


def test_running_text_is_kept(shared_data: Path) -> None:
    """Answers of over 200 characters, some of them code or lists."""
    reasons = dropped(list(real_texts.chinese(shared_data))[234:])
    assert not {"gopher quality: words too short", "gopher quality: words too long"} & reasons.keys()
    assert reasons.total() < 0.35 * 200


def test_headlines_lack_only_ends_of_sentences(shared_data: Path) -> None:
    lines = real_texts.headlines(shared_data)
    pages = ["\n".join(lines[first : first + 20]) for first in range(0, 2_000, 20)]
    reasons = dropped(pages)
    assert reasons["fineweb: few lines end a sentence"] == 100
    assert reasons.keys() <= {"fineweb: few lines end a sentence", "chinese quality: hardly any punctuation"}
