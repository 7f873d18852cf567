"""Files of answers as they come from anywhere: hornbook's, the book's, AlpacaEval's, MT-Bench's; and bad ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate.answered import Turn, paired, read


def file(folder: Path, *rows: dict[str, Any], name: str = "answers.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_hornbooks_own_rows(tmp_path: Path) -> None:
    (one,) = read(file(tmp_path, {"id": "q1", "question": "2+2?", "answer": "5", "reference": "4", "category": "math"}))
    assert (one.id, one.subject, one.turns) == ("q1", "math", (Turn("2+2?", "5", "4"),))
    assert one.columns()["answer"] == "5"


def test_the_books_rows(tmp_path: Path) -> None:
    row = {
        "instruction": "Rewrite.",
        "input": "The car is fast.",
        "output": "Like lightning.",
        "model_response": "Fast.",
    }
    (one,) = read(file(tmp_path, row))
    assert one.turns == (Turn("Rewrite.\n\nThe car is fast.", "Fast.", "Like lightning."),)
    assert one.id == "1"


def test_alpacaevals_rows(tmp_path: Path) -> None:
    (one,) = read(file(tmp_path, {"instruction": "Why?", "output": "So.", "generator": "m", "dataset": "koala"}))
    assert one.turns == (Turn("Why?", "So."),)
    assert one.subject == "koala"


def test_mt_benchs_files_are_joined_by_id(tmp_path: Path) -> None:
    answers = file(tmp_path, {"question_id": 101, "choices": [{"turns": ["second", "second to last"]}]})
    asked = file(tmp_path, {"question_id": 101, "category": "reasoning", "turns": ["a?", "b?"]}, name="q.jsonl")
    right = file(tmp_path, {"question_id": 101, "choices": [{"turns": ["2nd", "2nd to last"]}]}, name="r.jsonl")
    (one,) = read(answers, questions=asked, references=right)
    assert one.turns == (Turn("a?", "second", "2nd"), Turn("b?", "second to last", "2nd to last"))
    assert (one.id, one.subject) == ("101", "reasoning")
    assert "question" not in one.columns()  # a prompt for one turn would lose the other in silence


def test_the_public_files(shared_data: Path) -> None:
    bench = shared_data / "benchmarks" / "mt_bench"
    found = read(bench / "mt_bench__reference_answer__gpt-4.jsonl", questions=bench / "mt_bench__question.jsonl")
    assert len(found) == 30
    assert all(len(one.turns) == 2 and one.subject in ("reasoning", "math", "coding") for one in found)
    alpaca = read(shared_data / "benchmarks" / "alpaca_eval" / "alpaca_eval_cs336.jsonl")
    assert len(alpaca) == 805
    book = read(shared_data / "instruction" / "rasbt" / "instruction-data-with-response.json", limit=20)
    assert len(book) == 20
    assert all(one.turns[0].reference for one in book)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"question": "a?"}, "answers.jsonl:1: has no answer among its columns (question); name the column `answer`"),
        ({"answer": "b"}, "answers.jsonl:1: does not say what was asked; add `question` or `turns`"),
        ({"question": "a?", "answer": None}, "`answer` holds null where a text belongs"),
        ({"turns": ["a?", "b?"], "answer": "c"}, "2 questions and 1 answers; give an answer to each"),
        ({"question": "a?", "answer": " "}, "every answer is empty, so there is nothing to judge"),
    ],
)
def test_a_bad_row_is_one_sentence(row: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(file(tmp_path, row))
    assert sentence in str(caught.value)


def test_an_id_stands_once(tmp_path: Path) -> None:
    row = {"id": "q", "question": "a?", "answer": "b"}
    with pytest.raises(UserError, match="the id q stands in answers"):
        read(file(tmp_path, row, row))


def test_two_models_must_have_answered_the_same(tmp_path: Path) -> None:
    ours = read(
        file(tmp_path, {"id": "1", "question": "a?", "answer": "x"}, {"id": "2", "question": "b?", "answer": "y"})
    )
    theirs = read(file(tmp_path, {"id": "2", "question": "b?", "answer": "z"}))
    assert [[one.id for one in pair] for pair in paired(ours[1:], theirs, ("m", "n"))] == [["2", "2"]]
    with pytest.raises(UserError, match="m, n: 1 ids stand in only one of the two"):
        paired(ours, theirs, ("m", "n"))
    other = read(file(tmp_path, {"id": "2", "question": "c?", "answer": "z"}))
    with pytest.raises(UserError, match="asks something else"):
        paired(ours[1:], other, ("m", "n"))
