"""`hornbook evaluate`: the usual command needs no name, the others have one, and a mistake is a sentence."""

import subprocess
import sys

import pytest


def hornbook(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hornbook", *words], capture_output=True, text=True, timeout=60)


def test_the_tasks_are_listed() -> None:
    found = hornbook("evaluate", "tasks")
    assert found.returncode == 0
    for task in ("arc_easy", "mmlu", "cmmlu", "truthfulqa_mc2", "xcopa_zh"):
        assert task in found.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("runs/none",), "error: runs/none: is no run folder"),
        (("runs/none", "--tasks", "arc_eazy"), "arc_easy"),
        (("compare", "none", "neither"), "error: none: holds no results.json"),
    ],
)
def test_a_mistake_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    found = hornbook("evaluate", *words)
    assert found.returncode == 2
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr


def test_help_shows_both_the_commands_and_the_usual_one() -> None:
    assert "compare" in hornbook("evaluate", "--help").stdout
    assert "--tasks" in hornbook("evaluate", "models", "--help").stdout
