from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import html
from hornbook.corpus.document import Document
from hornbook.corpus.html import is_page
from tests.corpus.archives import page
from tests.corpus.reading import documents, pack, why


@pytest.mark.parametrize("ending", [".html", ".HTM", ".xhtml", ".html.gz", ".html.zst"])
def test_a_page_keeps_its_markup_and_says_that_it_is_one(tmp_path: Path, ending: str) -> None:
    path = pack(tmp_path / f"a{ending}", page().encode())
    found, ledger = documents(path, strict=True)
    assert found == [Document(path.name, page(), "s", metadata={"format": "html"})]
    assert ledger.bad == 0


def test_an_encoding_other_than_utf_8_is_noted(tmp_path: Path) -> None:
    text = page(head="<meta charset=gb2312>").replace("Story", "論語")
    [found], _ = documents(pack(tmp_path / "a.html", text.encode("gbk")))
    assert (found.text, found.metadata["encoding"]) == (text, "gb18030")


def test_an_empty_file_is_left_out(tmp_path: Path) -> None:
    found, ledger = documents(pack(tmp_path / "a.html", b" \n"))
    assert (found, ledger.bad, ledger.skipped) == ([], 0, {"empty file": 1})


def test_what_is_no_page_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "a.html", b"\x89PNG" + b"\0\xff" * 100)
    assert why(path) == f"{path}: binary data, not a page; replace or delete the file"
    with pytest.raises(UserError, match="binary data"):
        documents(path, strict=True)
    monkeypatch.setattr(html, "PAGE_BYTES", 1_000)
    assert "a page of over 1000 bytes" in why(pack(tmp_path / "b.html", b"<p>" * 1_000))


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("<!DOCTYPE html><p>", True),
        ('\n <?xml version="1.0"?>\n<!-- made by hand -->\n<HTML lang="en">', True),
        ("<body>", True),
        ("In HTML, <html> begins a page.", False),
        ("<header>of a letter", False),
        ("", False),
    ],
)
def test_a_text_that_begins_like_a_page_is_one(text: str, known: bool) -> None:
    assert is_page(Document("a", text, "s")) is known
    assert html.looks_like_a_page(b"\xef\xbb\xbf" + text.encode()) is known
    assert is_page(Document("a", text, "s", metadata={"format": "html"}))
