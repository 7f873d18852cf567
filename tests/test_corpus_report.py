"""The page of a corpus: what a reader sees is what is in the folder, whatever is missing, and it needs no network."""

import html
import re
from pathlib import Path

import pytest

from hornbook.core.files import read_json, write_json
from hornbook.corpus import pipeline
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus_report import write_corpus_report
from tests.made_up_corpus import POEM, make_corpus, write_sources


def words(path: Path) -> str:
    body = path.read_text(encoding="utf-8").partition("</style>")[2]
    return html.unescape(re.sub(r"<[^>]+>", " ", body))


def test_a_whole_corpus_is_on_the_page(tmp_path: Path) -> None:
    seen = " ".join(words(write_corpus_report(make_corpus(tmp_path))).split())
    for expected in (
        "67 documents from 2 sources (17kB) became 62 documents (16kB): 93 %.",
        "93 % of 67 documents are left; minimum length took most",
        "Tokens are estimated: characters / 4",
        "too short",
        "The cat <b>sat</b> & looked",
        "太宗皇帝",
        POEM,
        "near duplicates: near duplicate, 1 document",
        "files/web.jsonl:64 not a JSON object",
        "that the steps took",
        "1 language came in, 1 stayed",
        "type: near_duplicates",
    ):
        assert expected in seen, expected


def test_it_opens_offline(tmp_path: Path) -> None:
    page = (make_corpus(tmp_path) / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page
    assert "<b>sat" not in page


@pytest.mark.parametrize("missing", ["timing.json", "recipe.yaml", "near_duplicates.parquet", "dropped/00000.parquet"])
def test_what_is_missing_is_left_out(tmp_path: Path, missing: str) -> None:
    folder = make_corpus(tmp_path)
    (folder / missing).unlink()
    assert "<h1>clean: the corpus</h1>" in write_corpus_report(folder).read_text(encoding="utf-8")


def test_an_empty_ledger_has_a_page(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path)
    plain = read_json(folder / "ledger.json")
    write_json(folder / "ledger.json", {**plain, "steps": {}, "read": {}, "kept": {}, "bad": 0, "bad_places": []})
    assert "0 documents" in words(write_corpus_report(folder))


def test_the_page_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    sizes = []
    for count in (300, 3_000):
        text = "".join(f"{n:x} a text that is long enough to stay {n}\n\n" for n in range(count))
        (tmp_path / "a.jsonl").write_text("".join(f'{{"text": "{line} {line}"}}\n' for line in text.split("\n\n")[:-1]))
        pipeline.run(Corpus(source=str(tmp_path / "a.jsonl"), steps=(ExactDuplicates(),)), tmp_path / "corpus")
        sizes.append(write_corpus_report(tmp_path / "corpus").stat().st_size)
    assert sizes[1] < sizes[0] * 1.1


def test_a_run_gives_its_name(tmp_path: Path) -> None:
    web, poems = write_sources(tmp_path / "files")
    pipeline.run(Corpus(source=(str(web), str(poems)), bad_share=0.1), tmp_path / "first" / "corpus")
    page = write_corpus_report(tmp_path / "first").read_text(encoding="utf-8")
    assert "<h1>first: the corpus</h1>" in page
