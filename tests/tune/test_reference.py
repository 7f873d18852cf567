"""The reference is asked once: what it says is in a file, and of use only to the same weights and rows."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hornbook.data.preference_rows import ComparisonRows, Comparisons
from hornbook.generate.language_model import LanguageModel
from hornbook.text.chat import Renderer
from hornbook.train.config import Train
from hornbook.tune import reference
from hornbook.tune.reference import Reader, remember
from tests.tune.planted import pairs

Open = Callable[[int], tuple[LanguageModel, ComparisonRows, Reader]]


@pytest.fixture
def opened(tiny_base: Path) -> Open:
    def open_it(count: int) -> tuple[LanguageModel, ComparisonRows, Reader]:
        lm = LanguageModel.load(tiny_base)
        assert lm.tokenizer is not None
        rows = [{**row, "prompt": [{"role": "user", "content": row["prompt"]}]} for row in pairs(count)]
        packed = Comparisons(length=128).build(rows, Renderer(lm.tokenizer, "chatml"), seed=0)
        return lm, packed, Reader.of(lm.module, Train(steps=1, precision="fp32"))

    return open_it


def test_it_is_what_the_model_says_of_each_answer_alone(opened: Open) -> None:
    lm, rows, reader = opened(6)
    found = reader.log_p(rows)
    for number, pair in enumerate(rows.shelf.pairs):
        for half, answer in enumerate(pair):
            assert answer is not None
            ids = torch.tensor([answer.ids])
            each = lm.module(ids).logits.log_softmax(-1)[0, :-1].gather(-1, ids[0, 1:, None])[:, 0]
            assert float(found[number, half]) == pytest.approx(float(each[answer.start - 1 :].sum().detach()), rel=1e-5)


def test_the_file_is_read_again(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows, reader = opened(6)
    said: list[str] = []
    remember(tmp_path / "reference.safetensors", reader, {"train": rows}, said.append)
    kept = load_file(tmp_path / "reference.safetensors")["train"]
    assert torch.equal(kept, rows.reference)
    assert said == ["log-probabilities of the reference: 6 rows"]

    def never(*_: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(reference.Reader, "log_p", never)
    _, again, reader = opened(6)
    remember(tmp_path / "reference.safetensors", reader, {"train": again}, said.append)
    assert torch.equal(again.reference, kept)
    assert len(said) == 1


def test_other_weights_or_rows_are_asked_anew(opened: Open, tmp_path: Path) -> None:
    path, said = tmp_path / "reference.safetensors", list[str]()
    _, rows, reader = opened(6)
    remember(path, reader, {"train": rows}, said.append)
    _, more, reader = opened(7)
    remember(path, reader, {"train": more}, said.append)
    assert more.reference.shape == (7, 2)
    lm, same, reader = opened(7)
    with torch.no_grad():
        next(lm.module.parameters()).add_(0.01)
    remember(path, reader, {"train": same}, said.append)
    assert len(said) == 3
    assert not torch.equal(same.reference, more.reference)


def test_reading_leaves_a_training_model_training(opened: Open) -> None:
    lm, rows, reader = opened(2)
    lm.module.train()
    reader.log_p(rows)
    assert lm.module.training
