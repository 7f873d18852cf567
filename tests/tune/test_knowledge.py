"""The stage `knowledge` writes the questions one wants, counts all, and goes on where it was stopped."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.align.knowledge import Exam, Facts
from hornbook.core.errors import RecipeError
from hornbook.core.run import Run
from hornbook.data.conversations import Conversations
from hornbook.generate.language_model import LanguageModel
from hornbook.tune.knowledge import Knowledge
from hornbook.tune.place import Place

EXAM = Exam(sets=3, examples=2, samples=2, max_new_tokens=4)


@pytest.fixture
def questions(tmp_path: Path) -> Facts:
    rows = "".join(f"q{n}?,a{n},{'even' if n % 2 == 0 else 'odd'}\n" for n in range(40))
    (tmp_path / "facts.csv").write_text(f"question,answer,relation\n{rows}")
    return Facts(source=str(tmp_path / "facts.csv"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A model that knows every fourth question; how many it was asked each time."""
    counts: list[int] = []

    def generate(_: Any, prompt: list[str], **options: Any) -> list[str]:
        counts.append(len(prompt))
        numbers = [int(each.rsplit("Q: q", 1)[1].split("?")[0]) for each in prompt]
        return [f" a{n}" if n % 4 == 0 else " no" for n in numbers]

    monkeypatch.setattr(LanguageModel, "generate", generate)
    return counts


def place(folder: Path, base: Path, notes: list[str]) -> Place:
    folder.mkdir(exist_ok=True)
    return Place(run=Run(folder), base=base, note=notes.append)


def test_rows_of_the_kinds_that_are_kept_and_a_ledger_of_all(
    tmp_path: Path, tiny_base: Path, questions: Facts, asked: list[int]
) -> None:
    notes: list[str] = []
    stage = Knowledge(questions=questions, exam=EXAM, keep=("highly known",))
    here = place(tmp_path / "knowledge", tiny_base, notes)
    assert stage.files(here) == [tmp_path / "facts.csv"]
    stage.make(here)
    rows = [json.loads(line) for line in here.run.rows.read_text().splitlines()]
    assert [row["source"] for row in rows] == [f"facts.csv:{n + 2}" for n in range(0, 40, 4)]
    assert {row["knowledge"] for row in rows} == {"highly known"}
    ledger = json.loads((here.run.folder / "ledger.json").read_text())
    assert ledger["kinds"] == {"highly known": 10, "maybe known": 0, "weakly known": 0, "unknown": 30}
    assert "unknown           30   75.0 %" in notes[-1]
    learned = Conversations(source=str(here.run.rows)).build()
    assert learned.train[0]["messages"][1]["content"].startswith("a")


def test_what_was_asked_is_not_asked_again(tmp_path: Path, tiny_base: Path, questions: Facts, asked: list[int]) -> None:
    stage = Knowledge(questions=questions, exam=EXAM)
    here = place(tmp_path / "knowledge", tiny_base, [])
    stage.make(here)
    whole, journal = here.run.rows.read_bytes(), here.run.folder / "asked.jsonl"
    first, *_ = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + b'{"rows": [')  # killed while the second group was written
    before = len(asked)
    stage.make(here)
    assert here.run.rows.read_bytes() == whole
    assert asked[before:] == [8 * 3, 6 * 3 * 2]  # the last 8 questions, and samples of those that are not known


def test_a_real_model_is_asked(tmp_path: Path, tiny_base: Path, questions: Facts) -> None:
    notes: list[str] = []
    Knowledge(questions=questions, exam=EXAM).make(place(tmp_path / "knowledge", tiny_base, notes))
    assert "unknown           40  100.0 %" in notes[-1]  # it has learned nothing


def test_keeping_nothing_is_refused(questions: Facts) -> None:
    with pytest.raises(RecipeError, match="keep: none, so no row would be written"):
        Knowledge(questions=questions, keep=())
