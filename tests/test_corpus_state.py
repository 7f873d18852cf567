"""A corpus folder, finished or half made, gives its account and its documents."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import pipeline
from hornbook.corpus.clean import MinimumLength, Normalise
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus_state import open_corpus
from tests.made_up_corpus import make_corpus, write_sources


def rows(paths: list[Path]) -> int:
    return sum(pq.read_metadata(path).num_rows for path in paths)


def test_a_finished_corpus(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path)
    state = open_corpus(folder)
    assert not state.running
    assert rows(state.kept) == sum(total.documents for total in state.ledger.kept.values())
    assert rows(state.dropped) == state.ledger.documents_dropped == 5
    assert state.timing["seconds"] > 0
    folder.rename(tmp_path / "corpus")
    assert open_corpus(tmp_path).folder == tmp_path / "corpus"  # a run


def test_a_corpus_that_is_being_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it decided about duplicates: the first stage can be looked at."""
    web, poems = write_sources(tmp_path / "files")
    steps = (Normalise(), MinimumLength(), ExactDuplicates())
    monkeypatch.setattr(ExactDuplicates, "decide", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(Corpus(source=(str(web), str(poems)), steps=steps), tmp_path / "corpus")
    state = open_corpus(tmp_path / "corpus")
    assert state.running
    assert list(state.ledger.steps) == ["normalise", "minimum length"]
    assert rows(state.kept) == state.ledger.steps["minimum length"].documents_out == 64
    assert rows(state.dropped) == 3
    assert state.timing["stages"][0]["steps"].keys() >= {"read", "normalise", "minimum length"}


def test_no_corpus_and_one_of_another_version_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder; no corpus is here"):
        open_corpus(tmp_path / "nowhere")
    (tmp_path / "ledger.json").write_text('{"read": {}}')
    with pytest.raises(UserError, match=r"ledger.json: written by another version of hornbook; make this corpus again"):
        open_corpus(tmp_path)
