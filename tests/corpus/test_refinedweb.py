# ruff: noqa: RUF001 - Chinese punctuation is meant
"""RefinedWeb's lines: which go, and when the document goes with them."""

import pytest

from hornbook.corpus.document import Document
from hornbook.corpus.refinedweb import RefinedWebLines, length

ARTICLE = "\n".join(["The committee met on Tuesday and agreed on nothing at all, as it had before."] * 12)
CHINESE = "\n".join(["孟子見梁惠王。王曰：「叟不遠千里而來，亦將有以利吾國乎？」"] * 12)


@pytest.mark.parametrize(("line", "reason"), [
    ("3 likes", "counters"), ("1.2k comments", "counters"), ("128 赞", "counters"), ("3万 阅读", "counters"),
    ("12/05/2023 - 14:00", "numbers and signs"), ("* * *", "numbers and signs"),
    ("Photography", "lines of one word"), ("图", "lines of one word"), ("登录", "navigation"),
   
    ("Sign in to comment", "navigation"), ("The whole story: Read more...", "navigation"),
    ("3 items in cart", "navigation"),
    ("上一篇：王曰何必曰利", "navigation"),
    ("BREAKING NEWS FROM ALL OVER THE WORLD TODAY", "capitals"),
    ("", None), ("He said that he would sign in the morning.", None), ("It rained.", None),
    ("子曰：學而時習之。", None),
    ("Home is where the heart is, they say, but we have never believed it.", None), ("NATO met in Brussels.", None),
])  # fmt: skip
def test_what_is_not_of_the_article_goes(line: str, reason: str | None) -> None:
    assert RefinedWebLines().reason(line, length(line)) == reason


@pytest.mark.parametrize(("article", "line"), [(ARTICLE, "Sign in to comment"), (CHINESE, "阅读全文")])
def test_a_line_goes_and_the_article_stays(article: str, line: str) -> None:
    result = RefinedWebLines().build()([Document("a", f"{article}\n{line}", "s", url="u")])
    assert [(document.text, document.url) for document in result.kept] == [(article, "u")]
    assert [reason for _, reason in result.changed] == ["navigation"]


def test_a_page_of_menus_goes() -> None:
    document = Document("a", f"{ARTICLE}\n" + "Sign in to comment\n" * 5, "s")
    assert RefinedWebLines()([document]).dropped == [(document, "too much of it menus and counters")]
    assert RefinedWebLines(max_removed=0.2)([document]).dropped == []
    assert RefinedWebLines(short_words=3)([document]).changed == []


def test_an_article_is_not_touched() -> None:
    assert RefinedWebLines()([Document("a", ARTICLE, "s")]).changed == []
    with pytest.raises(ValueError, match="max_removed: 5 is not a share"):
        RefinedWebLines(max_removed=5)
