"""Real sizes, counted without memory: what a recipe's first line says, what transformers counts of the same config."""

import re

import pytest
import torch

from hornbook.core import recipe
from hornbook.exchange import families
from hornbook.model.cost import cost
from hornbook.model.models import Model
from tests.exchange.parity import hf


def said(name: str) -> int | None:
    """The number of parameters in the first line of a recipe."""
    first = recipe.find(name).read_text(encoding="utf-8").splitlines()[0]
    found = re.search(r"([\d,]{7,}) parameters", first)
    return int(found[1].replace(",", "")) if found else None


NAMES = [name for name in recipe.built_in_names() if name.startswith("models/") and said(name)]


def design(name: str) -> Model:
    config: Model = recipe.load(Model, name)
    return config


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_has_the_parameters_it_says(name: str) -> None:
    assert cost(design(name)).parameters == said(name)


DECODERS = [name for name in NAMES if recipe.read(recipe.find(name)).get("type", "decoder") == "decoder"]


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
def test_transformers_counts_the_same(name: str) -> None:
    """Of the config.json that we write, on its own meta device."""
    fields = families.fields_of(design(name))
    if fields["model_type"] == "hornbook":
        pytest.skip("no public class has this design")
    config = hf.AutoConfig.for_model(**fields)
    with torch.device("meta"):
        model = hf.AutoModelForCausalLM.from_config(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == said(name)
