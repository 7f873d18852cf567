"""Every built-in task reads its rows, and a user's own is a file of six lines."""
# ruff: noqa: RUF001 -- Chinese punctuation

import json
from pathlib import Path

import pytest

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.evaluate.request import Scored
from hornbook.evaluate.tasks import load

FOLDER = Path(recipe.__file__).parents[1] / "recipes" / "evaluate"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
OWN = """type: multiple_choice
prompt: "问：{{question}}\\n答："
choices: "{{choices}}"
answer: "{{answer}}"
space: ""
data: {files: [mine.jsonl]}
"""


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("ceval", "gsm8k")])  # whose rows are not here
def test_real_rows_become_questions(name: str, shared_data: Path) -> None:
    items = list(load(name).items(shared_data / "benchmarks", limit=3))
    assert len(items) >= 3
    assert len({item.id for item in items}) == len(items)
    for item in items:
        assert item.requests
        assert all("{" not in request.context[:200] or "{" in str(item.row) for request in item.requests)


def test_a_task_of_ones_own(tmp_path: Path) -> None:
    rows = [{"question": "一加一等于几？", "choices": ["二", "三"], "answer": number} for number in (0, "二")]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(OWN, encoding="utf-8")
    task = load(str(tmp_path / "mine.yaml"))
    items = list(task.items(tmp_path))
    assert [(request.context, request.continuation) for request in items[0].requests] == [
        ("问：一加一等于几？\n答：", "二"),
        ("问：一加一等于几？\n答：", "三"),
    ]
    likely = [Scored(-1.0, True, 1, 3), Scored(-2.0, False, 1, 3)]
    assert [task.judge(item, likely).metrics for item in items] == [{"acc": 1.0, "acc_norm": 1.0}] * 2
    assert items[1].id == "mine.jsonl:2"


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(UserError, match="arc_easy"):
        load("arc_eazy")
