"""pass@k against all draws, and answers that become programs."""

from itertools import combinations
from pathlib import Path

import pytest

from hornbook.evaluate import tasks
from hornbook.evaluate.code import Code, pass_at
from hornbook.evaluate.task import Item


@pytest.mark.parametrize(("k", "right", "of"), [(1, 2, 5), (3, 2, 5), (2, 0, 4), (4, 1, 4), (2, 5, 5)])
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(k: int, right: int, of: int) -> None:
    draws = list(combinations([True] * right + [False] * (of - right), k))
    assert pass_at(k, right, of) == pytest.approx(sum(map(any, draws)) / len(draws))


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Code, Item]:
    folder = tmp_path / "humaneval"
    folder.mkdir()
    row = r'{"prompt": "import math\n\ndef f(x):\n", "test": "def check(g):\n    assert g(3) == 9", "entry_point": "f"}'
    (folder / "HumanEval.jsonl").write_text(row + "\n")
    task = tasks.load("humaneval")
    assert isinstance(task, Code)
    return task, next(task.items(tmp_path))


def test_answers_are_run(asked: tuple[Code, Item]) -> None:
    task, item = asked
    assert task.judge(item, ["    return x * x"]).metrics == {"pass@1": 1.0}
    outcome = task.judge(item, ["    return x"])
    assert outcome.metrics == {"pass@1": 0.0}
    assert outcome.detail["why"].startswith("failed")


def test_a_chats_code_is_taken_out_of_its_fences(asked: tuple[Code, Item]) -> None:
    task, item = asked
    talk = task.through_chat(item)
    assert task.program(talk, "Sure:\n```python\ndef f(x):\n    return 1\n```\n").text == (
        "import math\n\ndef f(x):\n    return 1\n"
    )
    assert task.program(talk, "    return 2").text.endswith("def f(x):\n    return 2")


def test_many_samples_want_a_temperature() -> None:
    task = tasks.load("humaneval")
    with pytest.raises(ValueError, match="give a temperature"):
        Code(data=task.data, prompt="", tests="", samples=2)
    with pytest.raises(ValueError, match="pass_at"):
        Code(data=task.data, prompt="", tests="", pass_at=(2,))


@pytest.mark.slow
def test_the_public_rows_own_solutions_all_pass(shared_data: Path) -> None:
    """All canonical solutions of the shared HumanEval rows, in the sandbox, as answers of a model and of a chat."""
    task = tasks.load("humaneval")
    items = list(task.items(shared_data / "benchmarks"))
    assert len(items) == 40
    solved = task.judge_all(items, [[item.row["canonical_solution"]] for item in items])
    assert {one.id: one.detail["why"] for one in solved if one.metrics["pass@1"] != 1} == {}
    talks = [task.through_chat(item) for item in items]
    fenced = [[f"```python\n{item.row['prompt']}{item.row['canonical_solution']}```"] for item in items]
    assert {one.id: one.detail["why"] for one in task.judge_all(talks, fenced) if one.metrics["pass@1"] != 1} == {}
    wrong = task.judge_all(items, [["    return None\n"] for _ in items])
    assert not any(one.metrics["pass@1"] for one in wrong)
