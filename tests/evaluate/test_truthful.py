"""True and false answers as they are compared; the numbers themselves are held in test_written_reference.py."""

from pathlib import Path

from hornbook.evaluate import tasks

HEADER = "Question,Correct Answers,Incorrect Answers\n"


def test_an_answer_is_nearer_to_true_or_false_ones(tmp_path: Path) -> None:
    (tmp_path / "truthfulqa").mkdir()
    row = "Do pigs fly?,Pigs do not fly at all; No,Yes they do fly; Pigs can fly.\n"
    (tmp_path / "truthfulqa/TruthfulQA.csv").write_text(HEADER + row)
    task = tasks.load("truthfulqa_gen")
    (item,) = task.items(tmp_path)
    true = task.judge(item, ["Pigs do not fly at all."])
    assert true.metrics["rouge1_acc"] == true.metrics["bleu_acc"] == 1.0
    assert round(true.metrics["rouge1_max"], 6) == 100.0
    false = task.judge(item, ["Pigs can fly."])
    assert false.metrics["rougeL_acc"] == 0.0
    assert false.detail["turns"] == ["Do pigs fly?"]  # a judge that was trained for it reads them
    assert (false.detail["answers"], false.detail["references"]) == (["Pigs can fly."], ["Pigs do not fly at all."])
    assert "false answer 'Pigs can fly.'" in false.detail["why"]
    assert task.judge(item, [""]).metrics["bleu_acc"] == 0.0
