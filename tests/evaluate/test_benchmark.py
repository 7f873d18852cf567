"""Which files of a folder are a benchmark's, and what is said where there are none."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate.benchmark import Benchmark, Hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split in ("dev", "test"):
        for subject in ("law", "high_school_law"):
            path = tmp_path / "mmlu" / split / f"{subject}_{split}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"Who in {subject}?,a,b,A\nWhat?,c,d,B\n")
    (tmp_path / "plain.jsonl").write_text('{"question": "x"}\n')
    return tmp_path


def test_subjects_are_found_by_looking(folder: Path) -> None:
    data = Benchmark(files=("mmlu/{split}/{subject}_{split}.csv",), header=("question", "A", "B", "answer"))
    assert data.subjects(folder) == ["high_school_law", "law"]
    rows = list(data.rows(folder, "dev", "high_school_law"))
    assert [row["id"] for row in rows] == ["high_school_law_dev.csv:1", "high_school_law_dev.csv:2"]
    assert rows[0]["subject"] == "high school law"
    assert rows[0]["question"] == "Who in high_school_law?"


def test_the_first_layout_that_is_there_is_read(folder: Path) -> None:
    data = Benchmark(files=("none-{split}.jsonl", "plain.jsonl"))
    assert data.subjects(folder) == [""]
    assert [row["question"] for row in data.rows(folder, "test")] == ["x"]


def test_what_is_missing_is_told_with_the_layout_and_where_to_get_it(folder: Path) -> None:
    data = Benchmark(files=("arc/{split}.jsonl", "ARC/{split}/*.parquet"), hub=Hub(name="a/b", files="{split}.parquet"))
    with pytest.raises(UserError, match=r"holds no arc/test.jsonl or ARC/test/\*.parquet; .*--fetch.*hub \(a/b\)"):
        data.subjects(folder)


def test_nothing_is_fetched_where_the_files_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    asked: list[str] = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: asked.append(name))
    Benchmark(files=("plain.jsonl",), hub=Hub(name="a/b", files="x")).fetch(folder)
    assert asked == []
    Benchmark(files=("other.jsonl",), hub=Hub(name="a/b", files="x")).fetch(folder)
    assert asked == ["a/b"]
