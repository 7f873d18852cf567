"""First weights: the deviations of the table in init.py, and the same numbers from the same seed."""

import math

import pytest
import torch

from hornbook.core import recipe
from hornbook.model.decoder import Decoder

WIDE = ["dim=256", "embed.vocab=1000"]


def test_gpt2_scheme() -> None:
    model = recipe.load(Decoder, "models/gpt2-tiny", WIDE).build()
    attention, mlp = (residual.op for residual in model.stack.layers[1])
    for weight in (attention.query.weight, mlp.up.weight, model.embed.table.weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.03)
    for weight in (attention.output.weight, mlp.output.weight):
        assert weight.std().item() == pytest.approx(0.02 / math.sqrt(2 * 3), rel=0.03)
    assert attention.query.bias.abs().max() == 0
    assert (model.stack.final_norm.weight == 1).all()


def test_zero_output_starts_as_the_uniform_guess() -> None:
    model = recipe.load(Decoder, "models/fast-tiny", WIDE).build()
    attention, mlp = (residual.op for residual in model.stack.layers[1])
    assert attention.output.weight.abs().max() == 0
    assert mlp.output.weight.abs().max() == 0
    assert attention.query.weight.std().item() == pytest.approx(1 / math.sqrt(256), rel=0.03)
    assert model.embed.table.weight.std().item() == pytest.approx(1.0, rel=0.03)
    ids = torch.arange(50)[None]
    loss = torch.nn.functional.cross_entropy(model(ids).logits[0], ids[0])
    assert loss.item() == pytest.approx(math.log(1000), rel=0.01)


def test_a_tied_table_starts_small_enough_to_be_a_head() -> None:
    model = recipe.load(Decoder, "models/fast-tiny", [*WIDE, "head.tied=true"]).build()
    assert model.head.weight.std().item() == pytest.approx(1 / 16, rel=0.03)


@pytest.mark.parametrize("name", ["models/gpt2-tiny", "models/fast-tiny"])
def test_the_seed_decides_and_nothing_else_is_drawn(name: str) -> None:
    config = recipe.load(Decoder, name)
    before = torch.get_rng_state()
    first, again, other = (config.build(torch.Generator().manual_seed(seed)).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["embed.table.weight"], other["embed.table.weight"])
    assert all(value.isfinite().all() for value in first.values())
