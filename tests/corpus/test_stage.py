"""A stage: what a task reads, what it leaves, and that a task with an account is not done again."""

from pathlib import Path

import pytest

from hornbook.corpus import stage
from hornbook.corpus.clean import MinimumLength, Normalise
from hornbook.corpus.document import Document
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.rows import read
from hornbook.corpus.sources import File
from hornbook.corpus.stage import Reading, Stage
from hornbook.corpus.task import Place, Task

READING = Reading("text", strict=False, bad_share=0.5)
LINE = "long enough to be kept\r\n"


def first(folder: Path, **changes: object) -> Stage:
    fields = {"reading": READING, "across": None, "steps": (Normalise(), MinimumLength()), "scan": ExactDuplicates()}
    return Stage(folder, **{**fields, "keep_dropped": True, **changes})


def task_of(folder: Path, texts: list[str], number: int = 0) -> Task:
    folder.mkdir(exist_ok=True)
    files = []
    for place, text in enumerate(texts):
        (path := folder / f"{number}-{place}.txt").write_bytes(text.encode())
        files.append(File(path, path.name, "s"))
    return Task(number, tuple(files), sum(map(len, texts)))


def kept(place: Place) -> list[Document]:
    return [document for batch in read(place.documents) for document in batch]


def test_steps_run_in_order_and_the_account_says_so(tmp_path: Path) -> None:
    task = task_of(tmp_path / "in", [LINE, "short", LINE + "more"])
    ledger = first(tmp_path)(task)
    assert [document.text for document in kept(Place(tmp_path, 0))] == [
        LINE.replace("\r", ""),
        "long enough to be kept\nmore",
    ]
    assert list(ledger.steps) == ["normalise", "minimum length"]
    assert [step.documents_in for step in ledger.steps.values()] == [3, 3]
    assert ledger.steps["minimum length"].dropped["too short"].documents == 1
    assert ledger.read["s"].documents == 3


def test_a_task_with_an_account_is_not_done_again(tmp_path: Path) -> None:
    task = task_of(tmp_path / "in", [LINE])
    done = first(tmp_path)(task)
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in tmp_path.glob("0*")}
    for file in task.files:
        file.path.unlink()
    assert first(tmp_path)(task) == done
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in tmp_path.glob("0*")} == before


def test_a_task_without_an_account_is_done_anew(tmp_path: Path) -> None:
    """As after a kill between two of its files."""
    task, place = task_of(tmp_path / "in", [LINE]), Place(tmp_path, 0)
    whole = first(tmp_path)(task)
    content = place.documents.read_bytes()
    place.ledger.unlink()
    place.documents.write_bytes(b"half")
    assert first(tmp_path)(task) == whole
    assert place.documents.read_bytes() == content


def test_the_next_stage_begins_with_what_was_decided(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    tasks = [task_of(tmp_path / "in", [LINE, LINE + "more"]), task_of(tmp_path / "in", [LINE], number=1)]
    for task in tasks:
        first(one)(task)
    places = [Place(one, number) for number in (0, 1)]
    ExactDuplicates().decide([place.scan for place in places], [place.decisions for place in places])
    second = first(two, reading=one, across=ExactDuplicates(), steps=(), scan=None)
    ledgers = [second(Task(number, (), 0)) for number in (0, 1)]
    assert [len(kept(Place(two, number))) for number in (0, 1)] == [2, 0]
    assert [list(ledger.steps) for ledger in ledgers] == [["exact duplicates"]] * 2
    assert ledgers[1].steps["exact duplicates"].dropped["exact duplicate"].documents == 1
    assert not Place(two, 0).scan.exists()


def test_an_error_leaves_no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    task = task_of(tmp_path / "in", [LINE])
    with monkeypatch.context() as patch:
        patch.setattr(stage.Outputs, "write", full)
        with pytest.raises(OSError, match="No space left"):
            first(tmp_path)(task)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert isinstance(first(tmp_path)(task), Ledger)
