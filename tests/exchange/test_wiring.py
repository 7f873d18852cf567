"""The three wirings: what is made of the parts is found again, and every weight is where its name says."""

import pytest

from hornbook.core import recipe
from hornbook.exchange import wiring
from hornbook.model.decoder import Decoder


@pytest.mark.parametrize("how", ["sequential", "one_norm", "two_norms"])
def test_what_is_made_is_found(how: wiring.Wiring) -> None:
    norm = {"type": "layer_norm", "eps": 0.1}
    layer = wiring.layer({"heads": 3}, {"hidden": 7}, norm, how)
    stack = {"layers": 2, "norm": norm, "layer": layer}
    config = recipe.parse(Decoder, {"dim": 12, "length": 5, "embed": {"vocab": 9}, "stack": stack})
    found = wiring.parts(config)
    assert found is not None
    assert (found.attention.heads, found.mlp.hidden, found.wiring) == (3, 7, how)
    ours = config.build().state_dict()
    names = wiring.NAMES[how]
    for name in (f"{names.attention}.query", names.attention_norm, f"{names.mlp}.up", names.mlp_norm):
        assert f"{name.format(layer=1)}.weight" in ours
    assert (names.attention_norm == names.mlp_norm) == (how == "one_norm")


def test_other_layers_are_of_another_kind() -> None:
    assert wiring.parts(recipe.load(Decoder, "models/llama-tiny")) is None
