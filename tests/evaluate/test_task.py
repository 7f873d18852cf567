"""Description, examples and question stand together as the reference harness puts them."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate.benchmark import Benchmark
from hornbook.evaluate.choice import MultipleChoice


@pytest.fixture
def task(tmp_path: Path) -> MultipleChoice:
    (tmp_path / "dev.jsonl").write_text('{"q": "1", "a": 0}\n{"q": "2", "a": 1}\n')
    (tmp_path / "test.jsonl").write_text('{"q": "3", "a": 1}\n')
    data = Benchmark(files=("{split}.jsonl",), shots="dev")
    return MultipleChoice(
        data=data, description="Say.\n\n", prompt="Q{{q}}", choices="{{['x', 'y']}}", answer="{{a}}", count=2
    )


def test_the_golden_prompt(task: MultipleChoice, tmp_path: Path) -> None:
    (item,) = task.items(tmp_path)
    assert item.requests[0].context == "Say.\n\nQ1 x\n\nQ2 y\n\nQ3"  # type: ignore[union-attr]
    (item,) = task.items(tmp_path, shots=1)
    assert item.requests[0].context == "Say.\n\nQ1 x\n\nQ3"  # type: ignore[union-attr]


def test_examples_that_are_not_there(task: MultipleChoice, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="3 are wanted and dev has 2; ask for fewer"):
        list(task.items(tmp_path, shots=3))
