"""Tasks: every file once and in order, of about the same size; what is done is found by its account."""

from pathlib import Path

import pytest

from hornbook.corpus import task
from hornbook.corpus.sources import File
from hornbook.corpus.task import Place, file_bytes, places, stages, tasks


def no_fault(place: str, why: str) -> None:
    raise AssertionError(f"{place}: {why}")


def folder(at: Path, sizes: list[int]) -> Path:
    at.mkdir()
    for number, size in enumerate(sizes):
        (at / f"{number:03d}.txt").write_bytes(b"x" * size)
    return at


def test_neighbours_are_taken_together_and_large_files_come_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "TASK_BYTES", 100)
    source = folder(tmp_path / "a", [40, 60, 1, 500, 30, 0, 30])
    found = list(tasks([str(source)], no_fault))
    assert [[file.id for file in each.files] for each in found] == [
        ["000.txt", "001.txt"],
        ["002.txt"],
        ["003.txt"],
        ["004.txt", "005.txt", "006.txt"],
    ]
    assert [each.number for each in found] == [0, 1, 2, 3]
    assert [each.bytes for each in found] == [100, 1, 500, 60]


def test_a_task_has_so_many_files_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "TASK_FILES", 4)
    found = list(tasks([str(folder(tmp_path / "a", [1] * 10))], no_fault))
    assert [len(each.files) for each in found] == [4, 4, 2]


def test_a_file_that_is_gone_has_no_size(tmp_path: Path) -> None:
    assert file_bytes(File(tmp_path / "gone", "gone", "s")) == 0


def test_what_has_an_account_is_done(tmp_path: Path) -> None:
    for stage in ("stage-0", "stage-2", "stage-10"):
        (tmp_path / stage).mkdir()
    first = tmp_path / "stage-0"
    for number in (11, 2):
        Place(first, number).ledger.write_text("{}")
        Place(first, number).timing.write_text("{}")
    Place(first, 3).documents.write_text("not yet done")
    (first / ".000004.json.77.aside").write_text("half")
    assert [path.name for path in stages(tmp_path)] == ["stage-0", "stage-2", "stage-10"]
    assert places(first) == [Place(first, 2), Place(first, 11)]


def test_the_files_of_a_task_have_names_of_their_own() -> None:
    names = ("documents", "dropped", "scan", "decisions", "timing", "ledger")
    paths = {getattr(Place(Path("stage"), number), name) for name in names for number in (0, 1)}
    assert len(paths) == 12
