"""A classifier as a judge: what it reads, what counts, and its training rows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hornbook.adapt import head
from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.data import rows
from hornbook.evaluate.answered import Answered, Turn
from hornbook.evaluate.truth import PROMPT, Truth, examples, write
from hornbook.generate.language_model import LanguageModel
from hornbook.model.classifier import LAST, SequenceClassifier
from hornbook.model.decoder import Decoder
from hornbook.text.bpe import BPE

BUILD = [sys.executable, "-m", "hornbook", "build", "finetune/truth-judge", "--run", "runs/truth"]
ROW = {"Question": "Is it?", "Correct Answers": "Yes; Of course", "Incorrect Answers": "No;", "id": "t:1"}


def classifier(folder: Path) -> LanguageModel:
    tokenizer = BPE(vocab=320).train(["Q: Is it?\nA: Yes\nTrue:"] * 5)
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}", "length=64"])
    model = config.build(torch.Generator().manual_seed(0))
    head.put(model, SequenceClassifier(labels=2, names=("no", "yes"), pooling=LAST, bias=False))
    LanguageModel(model.eval(), tokenizer).save(folder)
    return LanguageModel.load(folder)


def test_it_reads_question_and_answer(tmp_path: Path) -> None:
    lm = classifier(tmp_path / "judge")
    answers = [Answered(str(n), f"f:{n}", (Turn("Is it?", said),)) for n, said in enumerate(["Yes", "No", ""])]
    found = Truth().verdicts(lm, answers)
    said = lm.classify(["Q: Is it?\nA: Yes\nTrue:", "Q: Is it?\nA: No\nTrue:", "Q: Is it?\nA: \nTrue:"])
    assert [one.metrics["yes"] for one in found] == [float(each.label == "yes") for each in said]
    assert [one.detail["probability"] for one in found] == [each.probabilities["yes"] for each in said]


def test_a_label_it_does_not_know_is_told(tmp_path: Path) -> None:
    one = Answered("1", "f:1", (Turn("Is it?", "Yes"),))
    with pytest.raises(UserError, match="yes: '是' is no label of the classifier, which knows no, yes"):
        Truth(yes="是").verdicts(classifier(tmp_path / "judge"), [one])


def test_training_rows() -> None:
    found = list(examples([ROW]))
    assert [(each["text"], each["label"]) for each in found] == [
        ("Q: Is it?\nA: Yes\nTrue:", "yes"),
        ("Q: Is it?\nA: Of course\nTrue:", "yes"),
        ("Q: Is it?\nA: No\nTrue:", "no"),
    ]
    assert "True:" in PROMPT


def test_no_question_stands_on_two_sides(tmp_path: Path) -> None:
    table = [{**ROW, "Question": f"Is it {number}?"} for number in range(60)]
    counts = write(table, tmp_path)
    assert sum(counts.values()) == 180
    assert counts["train"] > counts["test"] > 0
    sides = [{row["question"] for row in rows.read(tmp_path / f"truth-{side}.jsonl")} for side in counts]
    assert len(set().union(*sides)) == sum(map(len, sides)) == 60


def test_training_rows_of_the_public_table(shared_data: Path) -> None:
    table = shared_data / "benchmarks" / "truthfulqa" / "TruthfulQA_249.csv"
    found = list(examples(rows.read(table)))
    assert len({each["question"] for each in found}) == 249
    assert {each["label"] for each in found} == {"yes", "no"}
    assert len(found) > 1000


@pytest.mark.slow
def test_the_recipe_trains_a_judge_and_it_judges(tiny_base: Path, tmp_path: Path) -> None:
    """From the public table's form to a verdict, by the commands that the recipe names: true is what begins with A."""
    table = [
        {**ROW, "Question": f"Is it {n}?", "Correct Answers": "A b c; A d e", "Incorrect Answers": "B b c; B d e"}
        for n in range(100)
    ]
    write(table, tmp_path / "my")
    train = [f"stages.truth.train.{each}" for each in ("optimizer.lr=3e-3", "precision=fp32", "rows_per_step=8")]
    changed = [f"base={tiny_base}", "stages.truth.length=64", *train]
    built = subprocess.run([*BUILD, *changed], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    model = tmp_path / "runs/truth/truth/model"
    scores = json.loads((model.parent / "scores.json").read_text())
    assert scores["accuracy"]["of"] == len([*rows.read(tmp_path / "my/truth-test.jsonl")])
    assert scores["accuracy"]["value"] > 0.9
    said = [{"question": f"Is it {n}?", "answer": answer} for n in range(200, 220) for answer in ("A b c", "B d e")]
    (tmp_path / "demo.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    judge = [
        sys.executable,
        "-m",
        "hornbook",
        "evaluate",
        "judge",
        "demo.jsonl",
        "--judge",
        "truth",
        "--by",
        str(model),
    ]
    judged = subprocess.run(judge, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert judged.returncode == 0, judged.stderr
    found = json.loads((tmp_path / "evaluations/demo/results.json").read_text())["judged"]["truth by model"]
    assert found["yes"]["value"] == pytest.approx(0.5, abs=0.1)
