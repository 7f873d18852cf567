"""Everything dropped in one place: in order, with its reason, and near duplicates beside what stayed for them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hornbook.corpus import dropped, pipeline
from hornbook.corpus.clean import MinimumLength
from hornbook.corpus.near import NearDuplicates
from hornbook.corpus.pipeline import Corpus


def rows(folder: Path) -> list[dict[str, str]]:
    return [row for path in sorted((folder / "dropped").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def write(folder: Path, texts: list[str]) -> Path:
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:03d}.txt").write_text(text, encoding="utf-8")
    return folder


def test_all_or_the_first_of_every_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "files", ["short"] * 9 + [""] * 2 + ["a text that is long enough"] * 3)
    monkeypatch.setattr(dropped, "GATHERED", 2)
    pipeline.run(Corpus(source=str(source)), tmp_path / "some")
    assert [(row["step"], row["reason"], row["id"]) for row in rows(tmp_path / "some")] == [
        ("minimum length", "too short", "000.txt"),
        ("minimum length", "too short", "001.txt"),
        ("minimum length", "empty", "009.txt"),
        ("minimum length", "empty", "010.txt"),
        ("exact duplicates", "exact duplicate", "012.txt"),
        ("exact duplicates", "exact duplicate", "013.txt"),
    ]
    monkeypatch.setattr(dropped, "FILE_ROWS", 5)
    ledger = pipeline.run(Corpus(source=str(source), keep_dropped=True), tmp_path / "all")
    assert len(rows(tmp_path / "all")) == ledger.documents_dropped == 13
    assert len(list((tmp_path / "all" / "dropped").iterdir())) == 2


def test_near_duplicates_stand_beside_what_stayed(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(60)]
    close = " ".join([*words[:-1], "other"])
    poem = "落日雙闕昏回輿九重暮長煙散初碧皎月澄輕素搴幌翫琴書開軒引雲霧"
    source = write(tmp_path / "files", [" ".join(words), poem, close, poem + "。", "nothing like any of the others"])
    pipeline.run(Corpus(source=str(source), steps=(NearDuplicates(threshold=0.6),)), tmp_path / "corpus")
    pairs = pq.read_table(tmp_path / "corpus" / "near_duplicates.parquet").to_pylist()
    assert [(pair["kept_id"], pair["dropped_id"]) for pair in pairs] == [("000.txt", "002.txt"), ("001.txt", "003.txt")]
    assert (pairs[0]["kept_text"], pairs[0]["dropped_text"]) == (" ".join(words), close)
    assert pairs[0]["similarity"] == pytest.approx(55 / 57, abs=0.001)  # shingles of 5 words: 56 each, 55 shared


def test_what_is_dropped_in_the_end_is_no_pair(tmp_path: Path) -> None:
    words = " ".join(f"w{number}" for number in range(60))
    source = write(tmp_path / "files", [words, words + " x", "long enough to stay whatever it says " * 20])
    steps = (NearDuplicates(threshold=0.6), MinimumLength(characters=300))
    pipeline.run(Corpus(source=str(source), steps=steps), tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "near_duplicates.parquet").exists()


def test_a_step_that_comes_twice_has_two_accounts(tmp_path: Path) -> None:
    source = write(tmp_path / "files", ["short", "a text that is long enough", "a text that is long enough to stay"])
    steps = (MinimumLength(characters=10), NearDuplicates(), MinimumLength(characters=30))
    ledger = pipeline.run(Corpus(source=str(source), steps=steps), tmp_path / "corpus")
    counts = {name: (step.documents_in, step.documents_out) for name, step in ledger.steps.items()}
    assert counts == {"minimum length": (3, 2), "near duplicates": (2, 2), "minimum length (2)": (2, 1)}
    assert [row["step"] for row in rows(tmp_path / "corpus")] == ["minimum length", "minimum length (2)"]
