"""A trial is the stage's own steps: counted, measured, and nothing of them stays."""

import json
import sys
from pathlib import Path

import pytest

from hornbook import trial
from hornbook.core import recipe as recipes
from hornbook.data.batches import WindowSource
from hornbook.settings import load


def test_a_process_prints_what_its_steps_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text(recipes.to_yaml(load("tiny/pretrain", ["pretrain.tokens_per_step=128"])))
    monkeypatch.setattr(sys, "argv", ["trial", "recipe.yaml", "2"])
    trial.main()
    account = json.loads(capsys.readouterr().out)
    assert account.keys() == {"tokens_per_second", "mfu", "peak_bytes", "cpu_seconds"}
    assert all(value > 0 for value in account.values())
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]


def test_rows_come_through_the_recipes_reader_or_have_its_shape() -> None:
    assert isinstance(trial.rows_of(load("tiny/pretrain")), WindowSource)
    source = trial.rows_of(load("tiny/translate"))
    assert isinstance(source, trial.MadeUp)
    batch = source.batch(7, 2)
    assert len(batch.labels) == 2
    assert source.documents(7, 2) == [["made-up row 7"], ["made-up row 8"]]


def test_only_steps_are_left() -> None:
    config = trial.only_steps(load("demo").pretrain, 5)
    assert (config.steps, config.budget, config.sample_every, config.lengths) == (5, None, 0, None)
