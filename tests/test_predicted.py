"""A run says beforehand what it will take, and at its end how wrong that was."""

import json
from pathlib import Path

import pytest

from hornbook.build import Build
from hornbook.core.files import read_json, write_json
from hornbook.core.run import Log, Run
from hornbook.model.cost import cost
from hornbook.plan.laws import Law
from hornbook.predicted import Foretold, fingerprint, foretell, hold
from hornbook.settings import load
from tests.test_build import SMALL, write_english

LAW = {"E": 1.0, "A": 100.0, "B": 200.0, "alpha": 0.3, "beta": 0.3}


@pytest.fixture
def values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    write_english(tmp_path / "files")
    return [*SMALL, f"corpus.source={tmp_path / 'files'}"]


def test_a_run_ends_with_predicted_beside_measured(values, tmp_path, capsys):
    build = Build("tiny/pretrain", values, tmp_path / "run")
    build.train("pretrain")
    *_, last = Log(build.run.metrics).rows()
    assert last["predicted"]["loss"] is None
    assert last["measured"]["loss"] > 0
    for name in ("seconds", "memory_bytes"):
        expected = last["predicted"][name] / last["measured"][name] - 1
        assert last["prediction_error"][name] == pytest.approx(expected)
    assert 0.5 < 1 + last["prediction_error"]["memory_bytes"] < 2
    said = capsys.readouterr().out
    assert "predicted" in said
    assert "no ladder of this text" in " ".join(said.split())
    build.train("pretrain")
    assert Log(build.run.metrics).rows()[-1] == last, "an unchanged run is not measured again"


def test_a_ladders_law_foretells_the_loss(values, tmp_path):
    recipe = load("tiny/pretrain", values)
    write_json(tmp_path / "runs/scale/mine/fit.json", {"fingerprint": fingerprint(recipe), "law": LAW})
    write_json(tmp_path / "runs/scale/other/fit.json", {"fingerprint": "another text", "law": {**LAW, "E": 9.0}})
    found = foretell(recipe, Run(tmp_path / "run"))
    tokens = recipe.pretrain.steps * recipe.pretrain.tokens_per_step
    assert found["loss"].value == pytest.approx(Law(**LAW).loss(cost(recipe.model).parameters, tokens))
    assert "mine" in found["loss"].how
    assert found["seconds"].value > 0
    assert json.loads((tmp_path / "run/predicted.json").read_text())["loss"]["value"] == found["loss"].value


def test_a_law_holds_for_its_text_whatever_the_model(values):
    recipe = load("tiny/pretrain", values)
    assert fingerprint(load("tiny/pretrain", [*values, "model.dim=32", "pretrain.steps=9"])) == fingerprint(recipe)
    assert fingerprint(load("tiny/pretrain", [*values, "data.length=32"])) != fingerprint(recipe)


def test_a_budget_is_its_own_prediction_and_says_no_loss(values, tmp_path):
    values = [value for value in values if not value.startswith("pretrain.steps")]
    found = foretell(load("tiny/pretrain", [*values, "pretrain.steps=null", "pretrain.budget=3s"]), Run(tmp_path / "r"))
    assert found["seconds"] == Foretold(3.0, "the budget")
    assert found["loss"].value is None


def test_what_was_foretold_first_stands_when_a_run_goes_on(values, tmp_path):
    run = Run(tmp_path / "run")
    first = foretell(load("tiny/pretrain", values), run)
    (run.checkpoints / "step-1").mkdir(parents=True)
    assert foretell(load("tiny/pretrain", [*values, "pretrain.steps=900"]), run) == first


def test_the_row_by_hand(tmp_path, capsys):
    run = Run(tmp_path)
    write_json(run.folder / "training.json", {"seconds": 50.0, "steps": 7})
    Log(run.metrics).append({"step": 7, "validation_loss": 2.0})
    foretold = {"seconds": Foretold(60.0, "steps"), "memory_bytes": Foretold(2.0**30, "parts")}
    row = hold({**foretold, "loss": Foretold(1.9, "a law")}, run)
    assert row["prediction_error"]["seconds"] == pytest.approx(0.2)
    assert row["prediction_error"]["loss"] == pytest.approx(-0.05)
    assert read_json(run.folder / "training.json")["steps"] == row["step"]
    said = capsys.readouterr().out
    for cell in ("1m00s", "50s", "+20.0%", "1,024 MiB", "1.900 nats", "-5.0%"):
        assert cell in said
