"""What is trained, and that nothing else is."""

from typing import Any

import pytest
import torch

from hornbook.adapt import head
from hornbook.adapt.freeze import Freeze
from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.model.models import Model


def model(name: str = "models/llama-tiny", *overrides: str) -> Any:
    config: Any = recipe.load(Model, name, overrides)  # type: ignore[arg-type]  # a union is a type too
    return config.build()


def trained(built: Any, *parts: str) -> set[str]:
    return set(Freeze(train=parts).apply(built))


def test_only_what_is_chosen_has_a_gradient() -> None:
    """The book's three parts; the rest has None, not 0."""
    built = model()
    head.put(built, head.REWARD)
    names = trained(built, "last block", "final norm", "head")
    built(torch.zeros(2, 5, dtype=torch.long)).logits.sum().backward()
    have = {name for name, parameter in built.named_parameters() if parameter.grad is not None}
    last = len(built.stack.layers) - 1
    assert have == names
    assert names == {
        name
        for name, _ in built.named_parameters()
        if name.startswith((f"stack.layers.{last}.", "stack.final_norm.", "head."))
    }


def test_words_and_patterns() -> None:
    layers = 4
    built = model("models/llama-tiny", f"stack.layers={layers}", "head.tied=false")
    every = {name for name, _ in built.named_parameters()}
    assert trained(built, "everything") == every
    assert trained(built, "embedding") == {"embed.table.weight"}
    assert trained(built, "head") == {"head.weight"}
    block = {number: {name for name in every if name.startswith(f"stack.layers.{number}.")} for number in range(layers)}
    assert trained(built, "first block") == block[0]
    assert trained(built, "last 2 blocks") == block[2] | block[3] == trained(built, "last 2 layers")
    assert trained(built, "block 1") == block[1] == trained(built, "stack.layers.1") == trained(built, "*.layers.1.*")
    assert trained(built, "norms") == {name for name in every if "norm" in name}
    assert trained(built, "*.query.weight") == {name for name in every if name.endswith("query.weight")}
    assert trained(built, "head", "final norm") == {"head.weight", "stack.final_norm.weight"}


def test_what_was_frozen_before_is_trained_again() -> None:
    built = model()
    trained(built, "final norm")
    assert trained(built, "block 0")
    assert not built.stack.final_norm.weight.requires_grad


def test_a_tied_head_is_the_embedding() -> None:
    assert trained(model("models/llama-tiny", "head.tied=true"), "head") == {"embed.table.weight"}


def test_both_stacks_of_a_translator() -> None:
    built = model("models/t5-tiny")
    names = trained(built, "last block")
    assert {name.split(".")[0] for name in names} == {"encoder", "decoder"}


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("stack.layer.1", "stack.layers.1"),
        ("heads", "head"),
        ("last 9 blocks", "last 2 blocks"),
        ("block 9", "blocks 0 to 1"),
        ("final normm", "final norm"),
    ],
)
def test_what_is_nowhere_is_said_with_what_is_near(pattern: str, near: str) -> None:
    built = model("models/llama-tiny", "stack.layers=2")
    with pytest.raises(RecipeError, match=r"freeze.train: .* is no part of the model") as error:
        trained(built, pattern)
    assert near in str(error.value)
    assert "\n" not in str(error.value)
    assert all(parameter.requires_grad for parameter in built.parameters())


def test_something_is_trained() -> None:
    with pytest.raises(RecipeError, match=r"train: nothing is left to train"):
        recipe.parse(Freeze, {"train": []}, "freeze")
