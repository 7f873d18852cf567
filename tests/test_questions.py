"""A benchmark is asked while a model learns: the scores are those that `hornbook evaluate` gives the same weights."""

import json
from pathlib import Path

import pytest

from hornbook.build import Build
from hornbook.core.errors import RecipeError, UserError
from hornbook.curves import Curves, figures
from hornbook.questions import asking
from hornbook.scored import Wish, evaluate
from hornbook.train.config import Questions, Train

TASK = """type: multiple_choice
data: {files: [sums.jsonl]}
prompt: "{{question}}"
choices: "{{choices}}"
answer: "{{answer}}"
"""
TINY = [
    "tokenizer.vocab=300",
    "data.length=64",
    "pretrain.steps=6",
    "pretrain.tokens_per_step=128",
    "pretrain.validation_rows=2",
    "pretrain.evaluate_every=4",
    "model.dim=32",
    "model.stack.layer.0.heads=2",
    "model.stack.layer.1.hidden=48",
    "corpus.validation=0.2",
    "stages={}",
    "evaluate.completions=0",
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for number in range(30):
        (tmp_path / "files" / f"{number}.txt").write_text(f"{number} and {number} is {2 * number}. " * 30)
    rows = [{"question": f"{n} and {n} is", "choices": [str(2 * n), str(n)], "answer": 0} for n in range(12)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "sums.yaml").write_text(TASK)
    return tmp_path


def test_asked_while_it_learns(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = f"pretrain.questions={{tasks: [{place / 'sums.yaml'}], data: {place}, limit: 10}}"
    Build("tiny/pretrain", [*TINY, asked, f"corpus.source={place / 'files'}"], place / "run").everything()
    rows = [
        row for row in map(json.loads, (place / "run" / "metrics.jsonl").read_text().splitlines()) if "scores" in row
    ]
    assert [row["step"] for row in rows] == [4, 6]
    assert "sums " in capsys.readouterr().out
    wish = Wish(tasks=(str(place / "sums.yaml"),), data=place, limit=10)
    evaluate([str(place / "run" / "model")], wish, place / "out")
    whole = json.loads((place / "out" / "model" / "results.json").read_text())["tasks"]["sums"]
    last = rows[-1]["scores"]["sums"]
    assert whole[last["metric"]]["value"] == last["value"]
    assert last["of"] == 10
    curves = Curves.read(place / "run")
    assert "of 10 questions" in "".join(figures(curves))


def test_what_cannot_be_asked_is_said_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="makes no model that goes on with a text"):
        asking(Questions(tasks=("arc_easy",)), None)
    with pytest.raises(RecipeError, match="give both or none"):
        Train(steps=1, evaluate_every=5)
    with pytest.raises(RecipeError, match="one task or more"):
        Questions(tasks=())
