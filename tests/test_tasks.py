"""What goes together: kinds that a recipe leaves out are lent by its rows, and what does not fit is one sentence."""

import pytest
import torch

from hornbook.core.errors import RecipeError
from hornbook.core.recipe import tag
from hornbook.settings import Recipe, load
from hornbook.tasks import TASKS, made_up, row_tokens, vocabularies, with_vocab

ROWS = {
    "masked": ("corpus", "masked_tokens", "encoder"),
    "masked-pairs": ("corpus", "masked_tokens", "encoder"),
    "denoise": ("corpus", "sequence_to_sequence", "encoder_decoder"),
    "spans": ("corpus", "sequence_to_sequence", "encoder_decoder"),
    "translate": ("reversals", "sequence_to_sequence", "encoder_decoder"),
    "digits": ("image_files", "classification", "encoder"),
    "pretrain": ("corpus", "next_token", "decoder"),
}


def sections(recipe: Recipe) -> tuple[str, str, str]:
    return tag(type(recipe.corpus)), tag(type(recipe.objective)), tag(type(recipe.model))


@pytest.mark.parametrize("name", ROWS)
def test_a_recipe_of_every_kind_has_the_sections_of_its_rows(name: str) -> None:
    assert sections(load(f"tiny/{name}")) == ROWS[name]


def test_rows_lend_the_kinds_that_are_not_given() -> None:
    masked = load("tiny/masked", ["data={type: masked, length: 32}", "corpus={source: stdlib}"])
    assert sections(masked) == ("corpus", "masked_tokens", "encoder")
    pairs = load("tiny/translate", ["corpus={source: pairs.tsv}", "objective=sequence_to_sequence"])
    assert sections(pairs) == ("pair_files", "sequence_to_sequence", "encoder_decoder")
    assert load("tiny/digits").tokenizer is None


def test_every_kind_of_rows_has_a_task() -> None:
    assert {TASKS[type(load(f"tiny/{name}").data)].model for name in ROWS} == {task.model for task in TASKS.values()}


@pytest.mark.parametrize(
    ("name", "overrides", "sentence"),
    [
        ("masked", ["objective=next_token"], "objective: next_token does not go with data.type=masked, which wants ma"),
        ("pretrain", ["objective=masked_tokens"], "objective: masked_tokens does not go with data.type=windows"),
        ("pretrain", ["corpus={type: reversals}"], "corpus: reversals does not go with data.type=windows, which wants"),
        (
            "translate",
            ["corpus={type: corpus}"],
            "which wants pair_files or reversals; give that corpus, or other data",
        ),
        ("masked", ["model=models/gpt2-tiny"], "which wants encoder"),
        ("masked", ["model.head=null"], "model.head: none has no answer for data.type=masked; give masked or pretrain"),
        (
            "masked-pairs",
            ["model.head=masked"],
            "model.head: masked has no answer for data.type=sentence_pairs; give p",
        ),
        ("masked-pairs", ["model.embed.segments=0"], "segments: one segment cannot tell two texts apart; give 2"),
        ("digits", ["corpus.size=16"], "corpus.size: 16 is not model.embed.image=8; make the two the same"),
        ("digits", ["corpus.channels=3"], "corpus.channels: 3 is not model.embed.channels=1"),
        ("digits", ["tokenizer={vocab: 300}"], "tokenizer: images have none, and text has one"),
        ("pretrain", ["tokenizer=null", "model.embed={vocab: 9}"], "tokenizer: images have none, and text has one"),
        ("masked", ["evaluate.completions=3"], "evaluate.completions: goes with a model that continues a text, not"),
        ("masked", ["pretrain.sample_every=3"], "pretrain.sample_every: goes with a model that continues a text"),
        ("denoise", ["pretrain.prompts=[a]"], "pretrain.prompts: goes with a model that continues a text, not with"),
        ("spans", ["pretrain.lengths={start: 8, until: 0.5}"], "pretrain.lengths: goes with a model that continues"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(name: str, overrides: list[str], sentence: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load(f"tiny/{name}", overrides)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ROWS)
def test_made_up_rows_can_be_trained_on(name: str) -> None:
    recipe = load(f"tiny/{name}")
    model = recipe.model.build(torch.Generator().manual_seed(0))
    loss = recipe.objective(model, made_up(recipe.data, recipe.model, 3))
    loss.sum.backward()
    assert loss.count > 0
    assert torch.isfinite(loss.sum)


def test_an_answer_counts_as_much_as_its_source() -> None:
    assert row_tokens(load("tiny/masked").data) == 64
    assert row_tokens(load("tiny/denoise").data) == 96


@pytest.mark.parametrize("name", ["masked", "denoise", "pretrain"])
def test_a_design_takes_another_vocabulary(name: str) -> None:
    model = with_vocab(load(f"tiny/{name}").model, 333)
    assert model.vocab == 333
    assert getattr(model, vocabularies(type(model))[0]).vocab == 333
