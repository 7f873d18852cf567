"""Modules by the names of Hugging Face classes."""

import pytest

from hornbook.core import recipe
from hornbook.exchange import peft_names
from hornbook.exchange.peft_names import Names, pattern_value
from hornbook.model.models import Model


def names(name: str, family: str | None = None) -> Names:
    config: Model = recipe.load(Model, f"models/{name}-tiny")
    return peft_names.of(config, family)


def test_a_module_is_named_by_its_last_word_where_that_means_no_other() -> None:
    llama = names("llama", "llama")
    every = {f"model.layers.{i}.self_attn.q_proj" for i in range(20)} & {name[:-7] for name in llama.weights}
    assert len(every) > 1
    assert llama.short(every) == ["q_proj"]
    assert llama.short({"model.layers.0.self_attn.q_proj"}) == ["model.layers.0.self_attn.q_proj"]
    assert llama.short(every | {"lm_head"}) == ["lm_head", "q_proj"]


def test_matrices_that_lie_the_other_way_are_known() -> None:
    assert names("gpt2", "gpt2").transposed(["transformer.h.0.attn.c_attn"])
    assert not names("llama", "llama").transposed(["model.layers.0.self_attn.q_proj"])


def test_a_tied_head_is_known_by_both_names() -> None:
    assert names("gpt2", "gpt2").copies == {"lm_head.weight": "transformer.wte.weight"}


def test_a_design_of_our_own_keeps_our_names() -> None:
    ours = names("gru")
    assert all(theirs == "".join(weight.ours) for theirs, weight in ours.weights.items())


@pytest.mark.parametrize(
    ("patterns", "value"), [({}, 8), ({"q_proj": 4}, 4), ({"layers.0.self_attn.q_proj": 2}, 8), ({"proj": 4}, 8)]
)
def test_a_pattern_is_a_name_or_its_end(patterns: dict[str, int], value: int) -> None:
    assert pattern_value(patterns, "model.layers.1.self_attn.q_proj", 8) == value
