# ruff: noqa: RUF001  # full-width punctuation is what is tested
import csv
import io
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import csv_rows
from tests.corpus.reading import documents, pack, texts, why

TEXTS = ["plain", 'quoted, with "signs"', "two\nlines", "子曰：学而时习之，不亦说乎", "tab\tand; semicolon", ""]


def table(separator: str, texts: list[str] = TEXTS) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator)
    writer.writerow(["id", "text", "url", "lang"])
    writer.writerows([number, text, f"https://a/{number}", "zho"] for number, text in enumerate(texts))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "separator"), [("a.csv", ","), ("a.csv", ";"), ("a.csv", "\t"), ("a.tsv", "\t"), ("a.csv.gz", ",")]
)
def test_a_row_is_a_document(tmp_path: Path, name: str, separator: str) -> None:
    found, ledger = documents(pack(tmp_path / name, table(separator).encode()), strict=True)
    assert [document.text for document in found] == TEXTS
    assert (found[2].url, found[2].language) == ("https://a/2", "zh")
    assert [document.id for document in found[:4]] == [f"{name}:{line}" for line in (2, 3, 5, 6)]
    assert ledger.bad == 0


@pytest.mark.parametrize(
    ("encoding", "note"), [("utf-8-sig", None), ("gb18030", "read as GB18030"), ("utf-16", "read as UTF-16")]
)
def test_encodings(tmp_path: Path, encoding: str, note: str | None) -> None:
    path = pack(tmp_path / "a.csv", table(",").encode(encoding))
    found, ledger = documents(path)
    assert [document.text for document in found] == TEXTS
    assert ledger.notes.get(str(path)) == note


def test_a_missing_column_is_named_with_the_columns_there_are(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.csv", table(",").encode())
    with pytest.raises(UserError) as error:
        documents(path, column="body", strict=True)
    assert str(error.value) == f"{path}:1: no column 'body'; set corpus.column to one of id, text, url, lang"


def test_bad_rows_are_named_and_skipped(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.csv", b"id,text\n1,one\n2\n\n3,caf\xe9\n4,four,more\n")
    found, ledger = documents(path)
    assert [document.text for document in found] == ["one", "four"]
    assert ledger.bad_places == [
        {"place": f"{path}:3", "why": "1 cells, none for text; fix or delete the row"},
        {"place": f"{path}:5", "why": "not text in UTF-8; fix or delete the row"},
    ]


def test_a_quote_that_never_ends_and_a_line_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "LINE_BYTES", 1_000)
    path = pack(tmp_path / "a.csv", b'text\none\n"two\n' + b"more\n" * 1_000)
    assert "cannot be read from here on (field larger than field limit (1000))" in why(path)
    assert [document.text for document in documents(path)[0]] == ["one"]
    assert (
        why(pack(path, b"text\none\n" + b"x" * 5_000))
        == f"{path}:3: a line of over 1000 bytes; split the text into rows"
    )


def test_an_empty_file_and_one_with_a_header_alone(tmp_path: Path) -> None:
    for content, skipped in ((b"", {"empty file": 1}), (b"text\n", {})):
        found, ledger = documents(pack(tmp_path / "a.csv", content))
        assert (found, ledger.bad, ledger.skipped) == ([], 0, skipped)


def test_one_column_needs_no_separator(tmp_path: Path) -> None:
    assert texts(pack(tmp_path / "a.csv", b"text\none\ntwo\n")) == ["one", "two"]
