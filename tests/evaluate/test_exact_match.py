"""What is found in an answer, a task of one's own, and rows that have no answer."""

import dataclasses
import json
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate import tasks
from hornbook.evaluate.exact_match import ExactMatch, Extract

OWN = """type: exact_match
prompt: "Q: {{question}}\\nA:"
answer: "{{answer}}"
stop: ["\\n"]
extract: {exact: {pattern: '(\\w+)\\W*$'}}
data: {files: [mine.jsonl]}
"""


def own(folder: Path, *rows: object) -> tuple[ExactMatch, Path]:
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mine.yaml").write_text(OWN)
    task = tasks.load(str(folder / "mine.yaml"))
    assert isinstance(task, ExactMatch)
    return task, folder


def test_a_task_of_ones_own(tmp_path: Path) -> None:
    task, folder = own(tmp_path, {"question": "Two and two?", "answer": "four"})
    (item,) = task.items(folder)
    outcome = task.judge(item, [" It is Four."])
    assert outcome.metrics == {"exact": 1.0}
    assert outcome.detail["found"] == {"exact": "Four"}
    assert outcome.detail["prompt"] == "Q: Two and two?\nA:"
    assert task.judge(item, ["..."]).metrics == {"exact": 0.0}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "x"}, r"mine.jsonl:2: .*answer"),
        ({"question": "x", "answer": ""}, r"mine.jsonl:2: has no answer"),
        ({"answer": "x"}, r"mine.jsonl:2: .*question"),
        (["x"], r"mine.jsonl:2"),
    ],
)
def test_a_bad_row_is_told_with_its_place(row: object, said: str, tmp_path: Path) -> None:
    task, folder = own(tmp_path, {"question": "x", "answer": "y"}, row)
    with pytest.raises(UserError, match=said):
        [task.judge(item, [""]) for item in task.items(folder)]


def test_a_split_that_is_not_there_is_told(shared_data: Path) -> None:
    with pytest.raises(UserError, match=r"holds no gsm8k/test.jsonl"):
        next(tasks.load("gsm8k").items(shared_data / "benchmarks"))


def test_a_pattern_must_be_one() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        Extract(pattern="(")


@pytest.mark.parametrize(("space", "wanted"), [(" ", "Q: 二加二？\nA: 四"), ("", "Q: 二加二？\nA:四")])  # noqa: RUF001
def test_what_stands_between_question_and_answer(space: str, wanted: str, tmp_path: Path) -> None:
    task, folder = own(tmp_path, {"question": "二加二？", "answer": "四"})  # noqa: RUF001
    (item,) = task.items(folder)
    assert dataclasses.replace(task, space=space).example(item.row) == wanted
