"""`hornbook evaluate judge`: the command, and a mistake is a sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_judge import judge_that_says


def hornbook(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hornbook", "evaluate", "judge", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_model_folder_judges(tmp_path: Path) -> None:
    judge_that_says("7").save(tmp_path / "judge")
    answers = tmp_path / "mine.jsonl"
    answers.write_text('{"question": "2+2?", "answer": "4"}\n{"question": "2+3?", "answer": "4"}\n', encoding="utf-8")
    found = hornbook(str(answers), "--by", str(tmp_path / "judge"), "--out", str(tmp_path / "out"))
    assert found.returncode == 0, found.stderr
    assert "score by judge   mine        7" in found.stdout
    assert (tmp_path / "out" / "mine" / "judged" / "score-by-judge.jsonl").is_file()
    assert found.stdout.rstrip().endswith("report.html")


@pytest.mark.parametrize(
    ("row", "more", "sentence"),
    [
        ('{"answer": "4"}', (), "error: mine.jsonl:1: does not say what was asked"),
        ('{"question": "2+2?", "answer": "4"}', ("--attempts", "1"), "Connection refused"),
    ],
)
def test_a_mistake_is_one_sentence(row: str, more: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    answers = tmp_path / "mine.jsonl"
    answers.write_text(row + "\n", encoding="utf-8")
    found = hornbook(str(answers), "--by", "http://127.0.0.1:1/v1#m", "--out", str(tmp_path / "out"), *more)
    assert found.returncode == 2
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1
