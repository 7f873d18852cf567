"""What a layer keeps: counted on the meta device, against what the literature says and how it grows."""

import torch

from hornbook.core import recipe
from hornbook.model.decoder import Decoder
from hornbook.plan.activations import kept, layers

SMALL = ["length=32", "dim=64", "embed.vocab=128", "stack.layers=2"]


def test_a_layer_of_gpt3_keeps_what_the_literature_says() -> None:
    """Korthikanti et al. 2022, equation 1: 34 bytes of 2 a token and channel with dropout's masks; 17 numbers."""
    model: Decoder = recipe.load(Decoder, "models/gpt3-175b")
    found = kept(model, model.length)
    assert found.counted
    assert 14 < found.numbers / model.dim < 19


def test_twice_the_width_keeps_twice_as_much() -> None:
    """The wider one's heads are as wide as its rows are long."""
    small: Decoder = recipe.load(Decoder, "models/gpt2-tiny", [*SMALL, "stack.layer.1.hidden=256"])
    wide: Decoder = recipe.load(Decoder, "models/gpt2-tiny", [*SMALL, "dim=128", "stack.layer.1.hidden=512"])
    assert 1.9 < kept(wide, 32).numbers / kept(small, 32).numbers < 2.1
    assert layers(small) == 2


def test_what_cannot_run_without_numbers_is_estimated_and_said_so() -> None:
    model: Decoder = recipe.load(Decoder, "models/mixtral-tiny")
    assert not kept(model, 16).counted
    assert kept(model, 16).numbers > 0
    assert torch.get_default_device().type == "cpu"
