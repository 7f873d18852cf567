"""A ladder is climbed once, goes on after a stop, foretells a larger run and is held to it."""

import json
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.core.run import Log
from hornbook.plan.fit import Trained, fit
from hornbook.plan.laws import EPOCH
from hornbook.predicted import fingerprint
from hornbook.scaling import LEAST_STEPS, Scaling, in_words, pace, said, trained
from tests.test_build import write_english

TINY = ["tokenizer.vocab=300", "data.length=32", "pretrain.tokens_per_step=64", "pretrain.save_every=10"]
REAL = ["pretrain.tokens_per_step=256"]
SIZES, TOKENS = (25e3, 120e3, 350e3), (1280, 2560, 5120)


@pytest.fixture
def scaling(tmp_path: Path) -> Scaling:
    write_english(tmp_path / "files")
    return Scaling("tiny/pretrain", [*TINY, f"corpus.source={tmp_path / 'files'}"], tmp_path / "ladder")


@pytest.mark.slow
def test_a_tiny_ladder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On enough text: a law wants a loss that falls."""
    scaling, sizes, tokens = Scaling("tiny/pretrain", REAL, tmp_path), (45e3, 100e3, 230e3), (26e3, 52e3, 104e3)
    found = scaling.climb(sizes, tokens)
    rows = scaling.ladder.rows()
    assert len(rows) == 9
    by_tokens = [row["loss"] for row in rows if row["parameters"] == rows[-1]["parameters"]]
    assert by_tokens == sorted(by_tokens, reverse=True), "more text, less loss"
    assert found.worst() < 0.1
    checked = scaling.check(found, scaling.rung(400e3, 156e3))
    assert abs(checked["error"]) < 0.1
    assert "measured: wrong by" in in_words(checked)
    assert [("measured" in row) for row in scaling.predictions.rows()] == [False, True], "first foretold, then trained"
    capsys.readouterr()
    assert scaling.climb(sizes, tokens).law == found.law
    assert len(scaling.ladder.rows()) == 10, "nothing was trained twice"
    assert capsys.readouterr().out.count("unchanged, held-out loss") == 9


def test_one_rung_is_trained_as_its_recipe_says_and_only_once(scaling: Scaling) -> None:
    scaling.build.tokens()
    rung = scaling.rung(40e3, 1300)
    assert rung.tokens == 1280, "whole steps"
    row = scaling.train(rung)
    assert (row["parameters"], row["tokens"]) == (rung.parameters, 1280)
    assert trained(row) == Trained(rung.parameters, 1280, row["loss"])
    steps = [each for each in Log(scaling.folder / "rungs" / rung.name / "metrics.jsonl").rows() if "loss" in each]
    assert len(steps) == 1280 / 64
    assert scaling.train(rung) == row
    assert len(scaling.ladder.rows()) == 1
    assert "1 runs, " in pace(scaling.ladder.rows())


def test_a_rungs_recipe_differs_in_size_rate_and_length_alone(scaling: Scaling) -> None:
    scaling.build.tokens()
    rung = scaling.rung(90e3, 2560)
    recipe, how = scaling.recipe_of(rung)
    assert recipe.pretrain.optimizer == scaling.recipe.pretrain.optimizer, "Muon carries its rate"
    assert "Muon" in how
    assert (recipe.pretrain.tokens, recipe.pretrain.steps, recipe.pretrain.schedule) == (
        2560,
        None,
        scaling.recipe.pretrain.schedule,
    )
    assert fingerprint(recipe) == fingerprint(scaling.recipe)
    assert recipe.model != scaling.recipe.model


def test_too_few_points_or_steps_are_refused_before_anything_is_trained(scaling: Scaling) -> None:
    with pytest.raises(UserError, match="tokens: 2 different ones cannot tell a power from its floor; give 3 or more"):
        scaling.climb(SIZES, TOKENS[:2])
    with pytest.raises(UserError, match="sizes: 1 different ones"):
        scaling.climb([90e3] * 3, TOKENS)
    with pytest.raises(UserError, match=f"tokens: 100 are 2 steps of this recipe; give {64 * LEAST_STEPS:,} or more"):
        scaling.climb(SIZES, (100, *TOKENS))
    assert scaling.ladder.rows() == []


def test_a_fit_on_file_is_the_fit() -> None:
    runs = [Trained(n, d, EPOCH.loss(n, d)) for n in (1e6, 1e7, 1e8) for d in (1e8, 1e9)]
    found = fit(runs, draws=3)
    file = said(found)
    assert file["law"]["alpha"] == found.law.alpha
    assert file["intervals"]["E"] == found.interval("E")
    assert len(file["draws"]) == 3
    assert file["runs"][0] == {"parameters": 1e6, "tokens": 1e8, "loss": runs[0].loss}


def test_the_recorded_ladder_of_five_foretells_the_sixth_within_three_percent() -> None:
    """The file of a real training, benchmarks/scaling/refit.py; the largest run is not in the fit."""
    lines = (Path(__file__).parents[1] / "benchmarks" / "scaling" / "ladder.jsonl").read_text().splitlines()
    *runs, sixth = [trained(json.loads(line)) for line in lines]
    assert len({run.parameters for run in runs}) == 5
    assert sixth.parameters > 2 * max(run.parameters for run in runs)
    loss, (low, high) = fit(runs, draws=50).predict(sixth.parameters, sixth.tokens)
    assert abs(loss / sixth.loss - 1) < 0.03
    assert low < sixth.loss < high
