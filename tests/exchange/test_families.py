"""The table of families: every recipe is its config.json again, and what is not built is refused by name."""

import re
from typing import Any

import pytest

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import families
from hornbook.model.models import Model
from tests.exchange.parity import SMALL

NAMES = [name for name in recipe.built_in_names() if name.startswith("models/")]
OURS = (  # designs that no public class can express, as regular expressions
    "(fast|windowed|switch|jamba|residual-dual|simplified|shaw)-tiny",
    "(gru|hyena|rnnencdec|rnnsearch|transformer)-.*",
)
LENT = ["length=64", "embed.vocab=131"]  # what the demo's recipe says in other sections


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_is_its_config_json_again(name: str) -> None:
    config: Any = recipe.load(Model, name, LENT if name.startswith(("models/demo", "models/student")) else [])
    fields = families.fields_of(config)
    assert (fields["model_type"] == "hornbook") == any(re.fullmatch(ours, name.split("/")[1]) for ours in OURS)
    back = families.config_of(fields)
    assert families.fields_of(back) == fields


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "mamba9"}, "model_type is 'mamba9'; supported are gpt2, .*, llama, .*, hornbook"),
        ({"hidden_act": "swish9"}, "hidden_act is 'swish9'; known are"),
        ({"hidden_size": None}, "hidden_size is missing"),
        ({"num_attention_heads": 5, "head_dim": None}, "heads: 5 does not divide dim: 32"),
        ({"rope_parameters": {"rope_type": "yarn9"}}, "rope_type is 'yarn9'"),
    ],
)
def test_what_is_not_built_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        families.config_of(SMALL | {"model_type": "llama"} | change)
