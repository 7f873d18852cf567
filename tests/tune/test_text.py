"""A stage's own documents become ids once; the run's own are taken where they fit."""

from pathlib import Path

import pytest

from hornbook.core.errors import RecipeError
from hornbook.corpus import pipeline
from hornbook.corpus.mixture import Shares
from hornbook.corpus.pipeline import Corpus
from hornbook.data import tokenize
from hornbook.text import tokenizer as tokenizers
from hornbook.tune.text import files_of, text_of
from tests.tune.doubles import place_at
from tests.tune.made_up_text import write


def corpus_at(folder: Path, **fields: object) -> Corpus:
    return Corpus(source=dict(write(folder)), steps=(), **fields)


def test_documents_become_ids_once(tiny_base: Path, tmp_path: Path) -> None:
    corpus = corpus_at(tmp_path / "files", mixture=Shares(shares={"shore": 1, "mine": 3}), validation=0.2)
    notes: list[str] = []
    place = place_at(tmp_path / "run", tiny_base, note=notes.append)
    tokenizer = tokenizers.load(tiny_base)
    text = text_of(place, corpus, tokenizer)
    assert text.shards.tokenizer == tokenizer.fingerprint
    assert 1 < text.bytes_per_token < 8
    assert [note.split(":")[0] for note in notes[1:3]] == ["shore", "mine"]
    assert notes[2].endswith("1.00 passes")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()}
    said = len(notes)
    assert text_of(place, corpus, tokenizer).shards.manifest == text.shards.manifest
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert len(notes) == said
    assert sorted(path.name for path in files_of(corpus)) == ["mine.jsonl", "shore.jsonl"]


def test_what_has_no_window_held_out_is_not_looked_at(tiny_base: Path, tmp_path: Path) -> None:
    text = text_of(place_at(tmp_path / "run", tiny_base), corpus_at(tmp_path / "files"), tokenizers.load(tiny_base))
    assert text.held_out(10_000_000) is None
    split = text.held_out(16)
    assert split is not None
    assert split.tokens > 16


def test_the_runs_own_ids_are_taken_where_they_are_the_models(tiny_base: Path, tmp_path: Path) -> None:
    run, tokenizer = tmp_path / "run", tokenizers.load(tiny_base)
    pipeline.run(corpus_at(tmp_path / "files"), run / "corpus")
    place = place_at(run / "stage", tiny_base, corpus=run / "corpus")
    assert text_of(place, None, tokenizer).shards.folder == run / "stage" / "shards"
    tokenize.write(run / "corpus", run / "shards", tokenizer)
    assert text_of(place, None, tokenizer).shards.folder == run / "shards"


def test_a_recipe_without_text_says_so(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="corpus: this recipe begins with a finished model and has no text"):
        text_of(place_at(tmp_path / "run", tiny_base), None, tokenizers.load(tiny_base))
