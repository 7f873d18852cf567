"""A classifier as a judge: what it reads, what counts, and its training rows."""

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
