"""Documents to passages: whole words, neighbours, and no short rest."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import pipeline
from hornbook.corpus.pipeline import Corpus
from hornbook.data.passages import Passages, passages

TEXT = "one two  three\nfour five six seven eight"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for number in range(40):
        text = " ".join(f"w{number}x{place}" for place in range(20))
        (tmp_path / "files" / f"{number}.txt").write_text(text)
    pipeline.run(Corpus(source=str(tmp_path / "files"), steps=(), validation=0.25), tmp_path / "corpus")
    return tmp_path / "corpus"


def test_a_passage_is_a_stretch_of_the_text() -> None:
    assert list(passages(TEXT, 3)) == ["one two  three", "four five six", "seven eight"]
    assert list(passages(TEXT, 5)) == ["one two  three\nfour five", "six seven eight"]
    assert list(passages(TEXT, 7)) == ["one two  three\nfour five six seven"]  # one word is less than half
    assert list(passages("", 7)) == []


def test_what_is_written_without_spaces_is_cut_by_characters() -> None:
    assert list(passages("春眠不觉晓处处闻啼鸟", 2)) == ["春眠不觉晓处处闻"]


def test_alone_or_with_what_follows(corpus: Path) -> None:
    alone, pairs = (Passages(words=5, partner=partner).parts(corpus) for partner in ("itself", "next"))
    assert all(row["texts"][0] == row["texts"][1] and row["alone"] for row in alone.train)
    assert len(alone.train) >= 2 * len(pairs.train) > 0
    for row in [*pairs.train, *pairs.validation, *alone.validation]:
        first, second = (text.split() for text in row["texts"])
        document, place = first[-1].split("x")
        assert second[0] == f"{document}x{int(place) + 1}"
        assert not row["alone"]
    trained_on = {text for row in alone.train for text in row["texts"]}
    assert not trained_on & {text for row in alone.validation for text in row["texts"]}


def test_no_more_rows_than_wanted_and_not_too_few(corpus: Path) -> None:
    assert len(Passages(words=5, most=7).parts(corpus).train) == 7
    with pytest.raises(UserError, match="the documents have 0 passages of 100 words"):
        Passages(words=100).parts(corpus)
