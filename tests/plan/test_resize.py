"""A design at another size keeps its shape; the rate follows the width where the optimizer asks for it."""

import pytest

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.model.cost import cost
from hornbook.model.decoder import Decoder
from hornbook.optim.adamw import AdamW
from hornbook.optim.galore import Galore
from hornbook.optim.muon import Muon
from hornbook.plan.resize import carry, count, layers_of, resize


@pytest.fixture
def llama() -> Decoder:
    sizes = ["length=64", "dim=64", "embed.vocab=512", "stack.layers=2"]
    layer = ["stack.layer.0.heads=4", "stack.layer.0.kv_heads=2", "stack.layer.1.hidden=160"]
    found: Decoder = recipe.load(Decoder, "models/llama-tiny", sizes + layer)
    return found


@pytest.mark.parametrize("wanted", [1e5, 3e5, 1e6, 5e6, 1e8])
def test_the_size_is_near_and_the_shape_is_kept(llama: Decoder, wanted: float) -> None:
    found = resize(llama, wanted)
    assert cost(found).parameters == pytest.approx(wanted, rel=0.35)
    attention, mlp = found.stack.layer
    assert found.dim / attention.heads == 16
    assert attention.heads % attention.kv_heads == 0
    assert found.dim / layers_of(found) == pytest.approx(32, rel=0.35)
    assert mlp.hidden / found.dim == pytest.approx(2.5, rel=0.1)
    assert found.embed == llama.embed


def test_its_own_size_gives_the_design_itself(llama: Decoder) -> None:
    assert resize(llama, cost(llama).parameters) == llama


def test_a_recurrent_design_has_no_heads_and_grows_too() -> None:
    gru = recipe.load(Decoder, "models/gru-tiny", ["length=64", "embed.vocab=512"])
    found = resize(gru, 2 * cost(gru).parameters)
    assert cost(found).parameters == pytest.approx(2 * cost(gru).parameters, rel=0.25)


def test_fewer_parameters_than_the_narrowest_are_refused(llama: Decoder) -> None:
    with pytest.raises(UserError, match=r"sizes: 1,000 parameters are fewer than the [\d,]+ of this design"):
        resize(llama, 1000)


def test_muon_keeps_its_rate_and_adams_falls_with_the_width() -> None:
    muon, said = carry(Muon(lr=0.02), 64, 128)
    assert muon == Muon(lr=0.02)
    assert "Muon" in said
    adam, said = carry(AdamW(lr=4e-3), 64, 128)
    assert adam == AdamW(lr=2e-3)
    assert "muP" in said
    galore, _ = carry(Galore(adam=AdamW(lr=4e-3)), 64, 128)
    assert galore.adam.lr == 2e-3


@pytest.mark.parametrize("text", ["", "M", "-1M", "0", "ten", "1e999", "nan"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"is no count above 0; write it like 0\.1M, 250k or 7B"):
        count(text)
