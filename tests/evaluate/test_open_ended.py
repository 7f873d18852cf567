"""Two turns, the second after the model's own answer; answers that judges read."""

import json
from pathlib import Path

from hornbook.evaluate import answered, evaluation, tasks
from hornbook.evaluate.request import AsRead, Until


class Echo:
    """A scorer whose model repeats how many things were said."""

    continuations = rolling = None

    def as_read(self, asked: Until) -> AsRead:
        return AsRead(asked.context, truncated=len(asked.talk) > 2)

    def until(self, asked: list[Until]) -> list[str]:
        return [f"answer {len(each.talk)}" for each in asked]


def test_the_second_turn_hears_the_first_and_judges_read_both(tmp_path: Path) -> None:
    (tmp_path / "mt_bench").mkdir()
    row = {"question_id": 81, "category": "writing", "turns": ["Write.", "Again."], "reference": ["Done", "Twice"]}
    (tmp_path / "mt_bench/question.jsonl").write_text(json.dumps(row) + "\n")
    task = tasks.load("mt_bench")
    came = evaluation.outcomes(Echo(), task, list(task.items(tmp_path)))  # type: ignore[arg-type]
    evaluation.write(tmp_path, "mt_bench", came, about={})
    (one,) = answered.read(tmp_path / "items/mt_bench.jsonl")
    assert [(turn.question, turn.answer) for turn in one.turns] == [("Write.", "answer 1"), ("Again.", "answer 3")]
    assert [turn.reference for turn in one.turns] == ["Done", "Twice"]
    assert (one.id, one.subject) == ("81", "writing")
    assert came[0].detail["read"] == "Question: Write.\n\nAnswer: answer 1\n\nQuestion: Again.\n\nAnswer:"
    assert came[0].detail["written"] == "answer 3"
    assert evaluation.read(tmp_path)["tasks"]["mt_bench"]["truncated"] == 1  # of two turns the second was too long
    assert came[0].metrics == {"rep4": 0.0, "words": 4.0}


def test_a_model_without_template_reads_a_text(tmp_path: Path) -> None:
    (tmp_path / "alpaca_eval").mkdir()
    (tmp_path / "alpaca_eval/alpaca_eval.json").write_text(json.dumps([{"instruction": "Hi?", "dataset": "koala"}]))
    (item,) = tasks.load("alpaca_eval").items(tmp_path)
    (request,) = item.requests
    assert isinstance(request, Until)
    assert request.context == "Question: Hi?\n\nAnswer:"
    assert request.talk == (("user", "Hi?"),)
