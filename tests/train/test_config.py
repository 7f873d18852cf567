"""A training section says exactly how long it is, and its numbers make sense."""

import pytest

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.optim.muon import Muon
from hornbook.optim.schedule import WSD
from hornbook.train.config import Train


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "give exactly one of steps, tokens, epochs and budget, not none"),
        ({"steps": 5, "budget": "1m"}, "not steps and budget"),
        ({"steps": 0}, "steps: 0 is not above 0"),
        ({"budget": "soon"}, "budget: 'soon' is no span of time"),
        ({"steps": 1, "clip": -1.0}, "clip: -1.0 is not above 0"),
        ({"steps": 1, "tokens_per_step": 0}, "tokens_per_step: 0 is less than 1"),
        ({"steps": 1, "optimzer": "muon"}, "optimzer: train has no such field (did you mean 'optimizer'?)"),
        ({"steps": 1, "precision": "fp8"}, "precision: 'fp8' is not one of auto, fp32, bf16, fp16"),
    ],
)
def test_bad_settings_are_one_sentence(fields, sentence):
    with pytest.raises(RecipeError) as caught:
        recipe.parse(Train, fields)
    assert sentence in str(caught.value)


def test_a_recipe_names_optimizer_and_schedule_by_type():
    train = recipe.parse(
        Train, {"tokens": 1_000_000, "optimizer": "muon", "schedule": {"type": "wsd", "cooldown": 0.4}}
    )
    assert train.optimizer == Muon()
    assert train.schedule == WSD(cooldown=0.4)
    assert recipe.parse(Train, recipe.dump(train)) == train
