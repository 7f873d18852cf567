"""A whole recipe: what one section lends another, and what is refused."""

import pytest

from hornbook.build import Build
from hornbook.core import recipe as recipes
from hornbook.core.errors import RecipeError
from hornbook.settings import Recipe, load


def test_the_model_takes_vocabulary_and_length_from_tokenizer_and_data():
    recipe = load("tiny/pretrain", ["tokenizer.vocab=512", "data.length=32"])
    assert recipe.model.embed.vocab == 512
    assert recipe.model.length == 32


def test_what_the_model_says_itself_is_kept():
    recipe = load("tiny/pretrain", ["model.length=128", "data.length=32"])
    assert recipe.model.length == 128


def test_a_resolved_recipe_reads_back_as_itself(tmp_path):
    recipe = load("demo")
    path = tmp_path / "recipe.yaml"
    path.write_text(recipes.to_yaml(recipe))
    assert load(path) == recipe


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["pretrian.steps=5"], "pretrian: recipe has no such field (did you mean 'pretrain'?)"),
        (
            ["model.stack.layer.0.heds=2"],
            "model.stack.layer[0].heds: attention has no such field (did you mean 'heads'?)",
        ),
        (["model.stack.layer.0.heads=7"], "7"),
        (["data.type=window"], "data: type 'window' is not one of windows, packed, masked, sentence_pairs, "),
        (["pretrain.budget=6m"], "give exactly one of steps, tokens, epochs and budget, not steps and budget"),
        (
            ["stages={model: {type: instruct, data: functions, train: {steps: 1}}}"],
            "stages.model: is no name for a stage; take small letters, not base",
        ),
        (["corpus.validation=0.9"], "corpus: validation: 0.9 is not a share between 0 and 0.5"),
        (["tokenizer.vocab=10"], "tokenizer: vocab: 10 has no room for 256 bytes"),
    ],
)
def test_a_mistake_is_one_sentence_with_place_and_fix(overrides, sentence):
    with pytest.raises(RecipeError) as caught:
        load("tiny/pretrain", overrides)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_stage_that_is_not_there_is_named():
    with pytest.raises(RecipeError, match=r"this recipe has no 'instruct'; it has pretrain"):
        Build("tiny/pretrain").train("instruct")
    assert isinstance(load("demo"), Recipe)
