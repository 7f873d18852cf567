"""What the plan says: which tokens, which mesh, and what of it is wrong."""

import pytest

from hornbook.core.errors import RecipeError, UserError
from hornbook.planning import Wish, as_plain, make_plan, read_mesh


def test_ten_billion_parameters_want_200_billion_tokens() -> None:
    found = make_plan(Wish("models/llama2-7b", size="10B", on="h100x64"))
    assert found.tokens == pytest.approx(200e9, rel=0.05)
    assert as_plain(found)["does_not_fit"] is None


def test_a_recipe_brings_its_step_and_tokens() -> None:
    found = make_plan(Wish("tiny/pretrain", ("pretrain.steps=10", "pretrain.tokens_per_step=4096")))
    assert (found.tokens, found.step.tokens) == (40960, 4096)


def test_a_mesh_of_ones_own_that_does_not_fit() -> None:
    found = make_plan(Wish("models/llama2-70b", on="h100x64", mesh="data=64"))
    assert found.change is not None
    assert found.change.startswith("take --mesh ")


def test_a_sum_of_money_reads_tokens() -> None:
    found = make_plan(Wish("models/llama2-7b", on="h100x8", budget="10000$", price=2.0))
    assert found.bill.dollars == pytest.approx(10_000)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (Wish("models/llama2-7b", on="h100x64", mesh="tensor=3"), "mesh: tensor 3 does not divide 64"),
        (Wish("models/llama2-7b", tokens="lots"), "tokens: 'lots' is no count"),
        (Wish("models/llama2-7b", budget="free"), "--budget: 'free' is no count"),
    ],
)
def test_one_sentence(wish: Wish, says: str) -> None:
    with pytest.raises(UserError, match=says):
        make_plan(wish)


@pytest.mark.parametrize("text", ["rows=2", "data", "shard=2,tensor=two"])
def test_a_mesh_that_is_none(text: str) -> None:
    with pytest.raises((UserError, RecipeError)):
        read_mesh(text)
