"""Addresses: what is blocked by its host, and what by its words."""

import pickle
from pathlib import Path

import pytest

from hornbook.corpus.document import Document
from hornbook.corpus.urls import UrlBlockList, UrlFilter, host


@pytest.fixture
def step(tmp_path: Path) -> UrlFilter:
    lists = {
        "domains": "bad.example\nWorse.org.\n",
        "words": "casino\n",
        "parts": "free-pills\n",
        "soft_words": "hot\nsexy\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return pickle.loads(pickle.dumps(UrlBlockList(**{name: tmp_path / name for name in lists}))).build()


@pytest.mark.parametrize(("url", "reason"), [
    ("https://bad.example/", "blocked domain"), ("http://www.BAD.example:8080/x", "blocked domain"),
    ("worse.org/a", "blocked domain"), ("https://notbad.example/", None), ("https://example/bad.example", None),
    ("https://a.org/best-casino/1", "blocked word in the address"), ("https://a.org/casinos", None),
    ("https://a.org/hot/news", None), ("https://hot.org/Sexy", "several suspicious words in the address"),
    ("https://a.org/buyfree_pillsnow", "blocked part of a word in the address"),
    ("http://[::1", None), (None, None),
])  # fmt: skip
def test_an_address_is_blocked_by_host_or_words(step: UrlFilter, url: str | None, reason: str | None) -> None:
    assert step.reason(Document("a", "text", "s", url=url)) == reason


def test_the_host_of_an_address() -> None:
    assert [host(url) for url in ("https://a.b./x", "a.b:80", "", "ftp://u:p@c.d")] == ["a.b", "a.b", "", "c.d"]


@pytest.mark.parametrize(
    ("fields", "sentence"), [({}, "no list is named"), ({"min_soft_words": 0, "words": Path("w")}, "min_soft_words: 0")]
)
def test_a_list_that_blocks_nothing_or_all_is_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        UrlBlockList(**fields)  # type: ignore[arg-type]


def test_real_lists_block_few_words(shared_data: Path) -> None:
    folder = shared_data / "web/badwords"
    names = {"words": "words", "parts": "subwords", "soft_words": "soft_banned_words"}
    paths = {
        field: folder / f"datatrove_url_{name if 'banned' in name else f'banned_{name}'}.txt"
        for field, name in names.items()
    }
    step = UrlBlockList(**paths).build()
    assert len(step.words) > 50
    assert step.reason(Document("a", "", "s", url="https://en.wikipedia.org/wiki/Essex_County")) is None
    assert step.reason(Document("a", "", "s", url=f"https://a.org/{min(step.words)}")) == "blocked word in the address"
