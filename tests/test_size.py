"""The size follows the budget, by measurement, and is kept when the run goes on."""

import pytest

from hornbook.build import Build
from hornbook.core.errors import RecipeError
from hornbook.settings import load
from hornbook.size import choose
from tests.test_build import SMALL, write_english

LADDER = ["pretrain.steps=null", "ladder={models: [models/fast-tiny], tokens_per_parameter: 1}"]


def test_a_long_budget_takes_the_larger_model_and_a_short_one_the_smaller():
    long = load("demo", ["pretrain.budget=100h"])
    assert choose(long)[0].model == long.ladder.models[0]
    brief = load("demo", ["pretrain.budget=1s"])
    chosen, said = choose(brief)
    assert chosen.model == brief.model
    assert chosen.ladder is None
    assert len(said) == 2
    assert "too few" in said[1]


def test_without_a_budget_a_ladder_is_refused():
    with pytest.raises(RecipeError, match=r"ladder: sizes are chosen by pretrain.budget"):
        load("tiny/pretrain", ["ladder={models: [models/demo], tokens_per_parameter: 1}"])


def test_the_choice_is_kept_by_the_run(tmp_path):
    write_english(tmp_path / "files")
    values = [*SMALL, *LADDER, "pretrain.budget=2s", f"corpus.source={tmp_path / 'files'}"]
    values = [value for value in values if value != "pretrain.steps=6"]
    first = Build("tiny/pretrain", values, tmp_path / "run")
    first.corpus()
    again = Build("tiny/pretrain", values, tmp_path / "run")
    assert again.recipe.ladder is None
    assert again.recipe.model == first.recipe.model


def test_a_model_shorter_than_the_rows_is_refused():
    with pytest.raises(RecipeError, match=r"model.length: 64 is shorter than the rows of data.length=128"):
        load("tiny/pretrain", ["model.length=64", "data.length=128"])
