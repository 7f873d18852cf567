"""What an instruction is about stays apart from it, for templates with a place for both."""

import json
from pathlib import Path

import pytest

from hornbook.core import recipe
from hornbook.data import conversations
from hornbook.data.inputs import Conversations, together
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

ROWS = [
    {"instruction": "Add.", "input": "1, 2", "output": "3"},
    {"instruction": "Say hello.", "input": "", "output": "Hello."},
    {"messages": [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "你好!"}]},
    {"instruction": "Add.", "context": "3, 4", "response": "7"},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def test_the_input_of_an_alpaca_row_stays_apart(source: Path) -> None:
    data = Conversations(source=str(source))
    first = [data.row({"id": str(n), **row})["messages"][0] for n, row in enumerate(ROWS)]
    assert first == [
        {"role": "user", "content": "Add.", "input": "1, 2"},
        {"role": "user", "content": "Say hello."},
        {"role": "user", "content": "你好"},
        {"role": "user", "content": "Add.", "input": "3, 4"},
    ]


def test_other_names_of_columns_are_understood() -> None:
    data = Conversations(source="x", columns={"instruction": "task", "input": "about", "output": "answer"})
    row = data.row({"id": "a:1", "task": "Add.", "about": "1, 2", "answer": "3"})
    assert row["messages"][0] == {"role": "user", "content": "Add.", "input": "1, 2"}


def test_rows_are_split_as_they_are_for_everybody_else(source: Path) -> None:
    """A stage that reads the same file otherwise tests on the same rows."""
    ours, plain = Conversations(source=str(source)), conversations.Conversations(source=str(source))
    for number, row in enumerate(ROWS):
        assert ours.key(ours.row({"id": str(number), **row})) == plain.key(plain.row({"id": str(number), **row}))


def test_every_template_says_all_of_it() -> None:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = BPE(vocab=300, split="gpt2", special=special).train(["one two"], processes=1)
    message = {"role": "user", "content": "Add.", "input": "1, 2"}
    assert "Add.\n\n### Input:\n1, 2\n" in tokenizer.decode(Renderer(tokenizer, "alpaca").prompt([message]))
    assert together(message) + "<|im_end|>" in tokenizer.decode(Renderer(tokenizer, "chatml").prompt([message]))


def test_it_is_the_usual_data_of_a_recipe() -> None:
    assert recipe.parse(Conversations, {"source": "my/rows.jsonl"}).source == "my/rows.jsonl"
