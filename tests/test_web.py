"""From a web archive to a trained model, with recipes alone."""

import json
from pathlib import Path

import pytest

from hornbook.build import Build
from hornbook.core import recipe
from hornbook.corpus import pipeline
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.stored import stored
from tests.corpus.archives import page, record, response, story, write

STEPS = ["extract", "gutenberg", "normalise", "minimum_length", "exact_duplicates"]


def test_several_sources_with_names_through_the_steps(tmp_path: Path) -> None:
    web = write(tmp_path / "crawl.warc.gz", [story(number) for number in range(30)])
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "31.html").write_text(page(31), encoding="utf-8")
    book = tmp_path / "book.txt"
    book.write_text("*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\nIt was a dark night.\n", encoding="utf-8")
    written = {"source": {"web": [str(web), str(tmp_path / "pages")], "books": str(book)}, "steps": STEPS}
    config = recipe.parse(Corpus, written)
    assert recipe.parse(Corpus, recipe.dump(config)) == config
    ledger = pipeline.run(config, tmp_path / "corpus")
    assert {name: total.documents for name, total in ledger.read.items()} == {"web": 31, "books": 1}
    assert ledger.steps["extract"].changed.keys() == {"main text taken out of its page"}
    documents = {each.id: each for split in ("train", "validation") for each in stored(tmp_path / "corpus", split)}
    assert "Story 31" in documents["web/pages/31.html"].text
    assert documents["books/book.txt"].text.startswith("It was a dark night.")


def test_an_archive_that_is_bad_in_places_is_a_corpus(tmp_path: Path) -> None:
    bad = [record(b"no answer"), b"garbage\n", record(response(page(99).encode()), length=3)]
    archive = write(tmp_path / "a.warc", [*(story(n) for n in range(60)), *bad, *(story(n) for n in range(60, 100))])
    ledger = pipeline.run(recipe.parse(Corpus, {"source": str(archive), "steps": STEPS}), tmp_path / "corpus")
    assert (ledger.read["a.warc"].documents, ledger.bad) == (100, 3)
    assert all(place["place"].startswith(f"{archive}:") for place in ledger.bad_places)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch.compile's own use of torch.jit
@pytest.mark.slow
def test_corpus_tokenizer_and_training_from_an_archive(tmp_path: Path) -> None:
    archive = write(tmp_path / "crawl.warc.gz", [story(number) for number in range(150)])
    short = [
        f"corpus.source={archive}",
        f"corpus.steps=[{', '.join(STEPS)}]",
        "corpus.validation=0.1",
        "pretrain.steps=3",
    ]
    assert Build("tiny/pretrain", short, tmp_path / "run").everything().is_file()
    kept = Ledger.of(json.loads((tmp_path / "run" / "corpus" / "ledger.json").read_text())).kept
    assert kept["crawl.warc.gz"].documents == 150
