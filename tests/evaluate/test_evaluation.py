"""From tasks to scores: every question once, in order; what is written is read back."""

import json
from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.evaluate import evaluation
from hornbook.evaluate.interval import wilson
from hornbook.evaluate.scorer import Scorer
from hornbook.evaluate.task import Outcome
from hornbook.evaluate.tasks import load
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.text.bpe import BPE

TASK = """type: multiple_choice
description: "About {{subject}}.\\n\\n"
prompt: "{{question}} ="
choices: "{{choices}}"
answer: "{{answer}}"
count: 1
data: {files: ["{split}/{subject}.jsonl"], shots: dev}
"""


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    tokenizer = BPE(vocab=300).train(["1 + 2 = 3, 2 + 2 = 4 and so on. About sums."] * 9)
    config = recipe.load(Decoder, "models/gpt2-tiny", [f"embed.vocab={tokenizer.vocab}", "length=128"])
    return Scorer(LanguageModel(config.build(torch.Generator().manual_seed(0)), tokenizer))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sums.yaml").write_text(TASK)
    for split, count in (("dev", 1), ("test", 40)):
        for subject in ("small_sums", "sums"):
            (tmp_path / split).mkdir(exist_ok=True)
            rows = [
                {"question": f"{n} + 1", "choices": [str(n), str(n + 1), str(n + 2), "0"], "answer": (n * 7 + 1) % 4}
                for n in range(count)
            ]
            (tmp_path / split / f"{subject}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_a_random_model_is_at_chance_and_each_subject_has_its_score(scorer: Scorer, folder: Path) -> None:
    task = load(str(folder / "sums.yaml"))
    items = list(task.items(folder))
    assert items[0].requests[0].context == "About small sums.\n\n0 + 1 = 1\n\n0 + 1 ="  # type: ignore[union-attr]
    some = evaluation.outcomes(scorer, task, items)
    found = evaluation.write(folder / "out", "sums", some, about={"model": "tiny"})["tasks"]["sums"]
    assert found["acc"]["of"] == 80
    assert found["acc"]["interval"][0] <= 0.25 <= found["acc"]["interval"][1]
    right = sum(outcome.metrics["acc"] for outcome in some)
    assert tuple(found["acc"]["interval"]) == pytest.approx(wilson(int(right), 80))
    assert list(found["subjects"]) == ["small_sums", "sums"]
    weights = [part["acc"]["value"] * part["acc"]["of"] for part in found["subjects"].values()]
    assert sum(weights) / 80 == pytest.approx(found["acc"]["value"])
    assert evaluation.read_items(folder / "out", "sums") == some
    assert evaluation.read(folder / "out")["about"] == {"model": "tiny"}


def test_a_limit_is_for_each_subject_and_shots_can_be_left_out(folder: Path) -> None:
    items = list(load(str(folder / "sums.yaml")).items(folder, limit=2, shots=0))
    assert [item.subject for item in items] == ["small_sums"] * 2 + ["sums"] * 2
    assert items[0].requests[0].context == "About small sums.\n\n0 + 1 ="  # type: ignore[union-attr]
    with pytest.raises(UserError, match="3 are wanted and dev has 1"):
        list(load(str(folder / "sums.yaml")).items(folder, shots=3))


def test_what_was_cut_is_counted() -> None:
    some = [Outcome(str(n), "", {"acc": 1.0}, {"truncated": n < 2}) for n in range(5)]
    assert evaluation.scores(some)["truncated"] == 2


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no results.json"):
        evaluation.read(tmp_path)
    with pytest.raises(UserError, match="holds no questions of arc; it has none"):
        evaluation.read_items(tmp_path, "arc")
