import gzip
import json
import sys
import time
from pathlib import Path

import pytest

from benchmarks import extraction
from hornbook.core.errors import UserError
from hornbook.corpus import extract
from hornbook.corpus.document import Document
from hornbook.corpus.extract import Extract, Resiliparse, Trafilatura, title, unfit
from tests.corpus.archives import PROSE, page

EXTRACTORS = [Trafilatura(), Trafilatura(precision=False), Resiliparse()]
HTML = {"format": "html"}


def document(text: str, **metadata: str) -> Document:
    return Document("a", text, "s", "https://a/", "en", metadata)


@pytest.mark.parametrize("extractor", EXTRACTORS, ids=repr)
def test_the_text_stays_and_the_frame_goes(extractor: Trafilatura | Resiliparse) -> None:
    before = document(page(3), format="html", encoding="cp1252")
    result = Extract(extractor=extractor).build()([before])
    [after] = result.kept
    assert all(f"Part {part} of story 3. {PROSE}" in after.text for part in range(4))
    assert not any(word in after.text for word in ("<", "About us", "Copyright"))
    assert after == Document("a", after.text, "s", "https://a/", "en", {"encoding": "cp1252", "title": "Story 3"})
    assert result.changed == [(before, "main text taken out of its page")]


@pytest.mark.parametrize("extractor", EXTRACTORS[::2], ids=repr)
def test_pages_without_a_text_are_dropped_with_the_reason(extractor: Trafilatura | Resiliparse) -> None:
    pages = {
        '{"not": "a page"}': "not HTML",
        "<html><body><script>let a = 1</script></body></html>": "no main text",
        "<html></html>": "no main text",
        "<div>" * 100_000 + PROSE: "nested too deep",
        "<p>" * 100_001: "too many tags",
        "<b>" * 5_000 + page(): "nested too deep",
    }
    result = Extract(extractor=extractor).build()([document(text, format="html") for text in pages])
    assert [(dropped.text, reason) for dropped, reason in result.dropped] == list(pages.items())
    assert result.kept == []


def test_what_is_no_page_passes_untouched() -> None:
    plain = [document("Plain text about <html> and so on."), document("x = 1 < 2 > 0")]
    assert Extract().build()(plain).kept == plain


def test_a_page_of_which_nobody_said_so_is_known_by_its_beginning() -> None:
    [after] = Extract().build()([document(page())]).kept
    assert after.text.startswith("Story 0")


@pytest.mark.parametrize("extractor", EXTRACTORS[::2], ids=repr)
def test_bombs_take_bounded_time(extractor: Trafilatura | Resiliparse) -> None:
    step, bombs = Extract(extractor=extractor).build(), ["<div>", "<b>", "<table><tr><td>", "<ul><li>", "<blockquote>"]
    bombs += ["</div><div>" * 3, "<a href=x>", "<svg>", "<![CDATA[", "<!--", "&amp;" * 9, "<p a='"]
    start = time.process_time()
    for bomb in bombs:
        step([document(page() + bomb * size + PROSE, format="html") for size in (2_900, 100_000)])
    assert time.process_time() - start < 30


def test_depth_is_that_of_tags_that_only_their_end_closes() -> None:
    assert unfit("<p><li><td>" * 3_000 + "text") is None
    assert unfit("<div>text</div>" * 3_000) is None
    assert unfit("<DIV class='a'>" * 3_001 + "</DIV>" * 3_001) == "nested too deep"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<title>A &lt;b&gt;</title>", "A <b>"),
        ("<TITLE lang=en>\n Two\n lines </TITLE>", "Two lines"),
        ("<title></title>", None),
        ("<title>never closed", None),
        ("no title", None),
        (f"<title>{'x' * 500}</title>", "x" * 300),
    ],
)
def test_titles(text: str, found: str | None) -> None:
    assert title(text) == found


@pytest.mark.parametrize("extractor", EXTRACTORS[::2], ids=repr)
def test_letters_are_the_same_whatever_encoding_the_page_once_had(extractor: Trafilatura | Resiliparse) -> None:
    """It is decoded by now: its own `<meta>`, or an XML declaration, no longer holds."""
    text = page().replace("harbour", "Hafen für Übersee, 港口")
    for head in ("<meta charset=gb2312>", '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">'):
        old = text.replace("<head>", f"<head>{head}")
        for each in (old, '<?xml version="1.0" encoding="iso-8859-1"?>' + old, "\ufeff" + old, "\ud800\0" + old):
            [after] = Extract(extractor=extractor).build()([document(each, format="html")]).kept
            assert "Hafen für Übersee, 港口" in after.text


@pytest.mark.parametrize("extractor", EXTRACTORS[::2], ids=repr)
def test_damaged_pages_are_read_or_dropped_and_nothing_is_raised(extractor: Trafilatura | Resiliparse) -> None:
    step, text = Extract(extractor=extractor).build(), page()
    pages = [text[:cut] for cut in range(1, len(text), 97)] + [text[cut:] for cut in range(1, len(text), 97)]
    result = step([document(each, format="html") for each in pages])
    assert len(result.kept) + len(result.dropped) == len(pages)
    assert result == step([document(each, format="html") for each in pages])


@pytest.mark.parametrize(("extractor", "module"), [(Trafilatura(), "trafilatura"), (Resiliparse(), "resiliparse")])
def test_what_to_install_is_said(
    extractor: Trafilatura | Resiliparse, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    monkeypatch.setitem(sys.modules, "resiliparse.extract.html2text", None)
    with pytest.raises(UserError) as error:
        Extract(extractor=extractor).build()
    assert str(error.value) == f"extract: {module} is not installed; pip install 'hornbook[web]'"


def test_the_limits_are_those_of_the_page_on_the_corpus() -> None:
    assert (extract.MOST_TAGS, extract.DEEPEST) == (100_000, 3_000)


def test_at_least_the_score_of_trafilatura_alone(shared_data: Path) -> None:
    """Every sixth page of the article-extraction benchmark; benchmarks/extraction.py takes all."""
    folder = shared_data / "web" / "article-extraction-benchmark"
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    names = sorted(truth)[::6]
    pages = [gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()).decode() for name in names]
    texts = [truth[name]["articleBody"] for name in names]
    ours = extraction.score(texts, extraction.by_hornbook(Trafilatura(), pages))
    alone = extraction.score(texts, extraction.by_trafilatura(pages))
    assert ours.f1 >= alone.f1 > 0.9
