"""Wrong answers in the report, and an evaluation that is killed while the model writes."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pytest

from hornbook import scored_written
from hornbook.evaluate.task import Outcome
from tests.evaluate.tiny_models import make


def test_the_worst_answers_come_first_with_prompt_verdict_and_what_was_expected() -> None:
    detail = {"prompt": "Q: 2 + 2?", "written": "five", "found": {"strict": None, "flexible": "5"}, "answer": "4"}
    right = Outcome("a.jsonl:1", "", {"strict": 1.0, "flexible": 1.0}, detail)
    half = Outcome("a.jsonl:2", "", {"strict": 0.0, "flexible": 1.0}, detail)
    saw = {"read": "user: Q: 2 + 2?", "truncated": True}
    wrong = Outcome("a.jsonl:3", "", {"strict": 0.0, "flexible": 0.0}, {**detail, **saw})
    (shown,) = scored_written.worst([right, half, wrong])
    assert "the 3 worst of 3 answers" in shown
    assert "<b>Q: 2 + 2?</b>five" in shown
    assert "<b>user: Q: 2 + 2?</b>five" in shown
    assert shown.index("a.jsonl:3") < shown.index("a.jsonl:2") < shown.index("a.jsonl:1")
    assert shown.count("Expected: 4") == 3
    assert scored_written.why(wrong) == "right is '4'; strict finds nothing, flexible finds '5'"
    assert scored_written.verdict(wrong).endswith("flexible finds '5'; it lost the beginning of its context")
    assert scored_written.worst([Outcome("b:1", "", {"acc": 1.0}, {})]) == []


def test_of_answers_without_a_score_empty_ones_and_those_that_repeat_are_worst() -> None:
    asked = {"prompt": "Hi?", "written": "x", "references": ["one", "two"]}
    some = {"fine": (0.0, 9.0), "again": (0.5, 9.0), "empty": (0.0, 0.0)}
    items = [Outcome(name, "", {"rep4": rep, "words": words}, asked) for name, (rep, words) in some.items()]
    (shown,) = scored_written.worst(items)
    assert shown.index("empty: 0 words") < shown.index("again: 9 words, 50% of its runs") < shown.index("fine: 9 words")
    assert "Expected: one / two" in shown
    assert scored_written.unscored({"words": {}})


TASKS = ("gsm8k", "humaneval", "truthfulqa_gen", "mt_bench", "alpaca_eval")
ROWS = 40


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, questions in the layouts of five benchmarks whose answers are written, and their tasks made short."""
    folder = tmp_path_factory.mktemp("written")
    make("tiny", folder / "model")
    sums = [{"question": f"What is {n} and {n}?", "answer": f"Twice.\n#### {2 * n}"} for n in range(ROWS)]
    tests = "def check(g):\n    assert g(1) == 1"
    made = {
        "gsm8k/test.jsonl": sums,
        "gsm8k/train.jsonl": sums[::-1],
        "humaneval/HumanEval.jsonl": [
            {"prompt": f"def f{n}(x):\n", "test": tests, "entry_point": f"f{n}"} for n in range(ROWS)
        ],
        "mt_bench/question.jsonl": [{"question_id": n, "turns": [f"Say {n}.", "And then?"]} for n in range(ROWS)],
        "alpaca_eval/alpaca_eval.jsonl": [{"instruction": f"Tell of {n}."} for n in range(ROWS)],
    }
    for name, rows in made.items():
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "data" / "truthfulqa").mkdir()
    table = "".join(f"Is {n} odd?,{'Yes' if n % 2 else 'No'},{'No' if n % 2 else 'Yes'}\n" for n in range(ROWS))
    (folder / "data/truthfulqa/TruthfulQA.csv").write_text("Question,Correct Answers,Incorrect Answers\n" + table)
    for name in TASKS:
        text = files("hornbook").joinpath(f"recipes/evaluate/{name}.yaml").read_text(encoding="utf-8")
        (folder / f"{name}.yaml").write_text(re.sub(r"max_new_tokens: \d+", "max_new_tokens: 48", text))
    return folder


def command(place: Path, out: Path) -> list[str]:
    tasks = ",".join(str(place / f"{name}.yaml") for name in TASKS)
    options = ["--tasks", tasks, "--data", str(place / "data"), "--out", str(out)]
    return [sys.executable, "-m", "hornbook", "evaluate", str(place / "model"), *options]


def answered(out: Path) -> int:
    return sum(len(path.read_bytes().splitlines()) for path in (out / "model").glob("answers-*.jsonl"))


@pytest.mark.slow
def test_killed_while_it_writes_it_comes_to_the_same_report(place: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    first = subprocess.run(command(place, whole), capture_output=True, text=True, timeout=300)
    assert first.returncode == 0, first.stderr
    assert answered(whole) == 6 * ROWS  # two turns of one benchmark
    moments, left_at = random.Random(), []
    for share in (0.0, 0.25, 0.5):  # of the answers: each time it is further
        more = max(answered(killed), (share + moments.uniform(0, 0.15)) * 6 * ROWS)
        process = subprocess.Popen(command(place, killed), stdout=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None and answered(killed) <= more:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.2))
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (killed / "report.html").exists()
        left_at.append(answered(killed))
    assert 0 < left_at[0] < left_at[1] < left_at[2] < 6 * ROWS, left_at
    again = subprocess.run(command(place, killed), capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stderr
    assert answered(killed) == 6 * ROWS  # none was asked twice
    for name in ("report.html", "model/results.json", *(f"model/items/{task}.jsonl" for task in TASKS)):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
