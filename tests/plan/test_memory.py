"""Memory by part: 16 bytes a parameter on one device, and what each axis divides."""

import pytest

from hornbook.core import recipe
from hornbook.model.decoder import Decoder
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.optim.muon import Muon
from hornbook.plan.memory import Step, memory, shape
from hornbook.train.mesh import Mesh

STATES = ("weights", "gradients", "optimizer")


@pytest.fixture(scope="module")
def step() -> Step:
    model: Decoder = recipe.load(Decoder, "models/llama2-7b")
    return Step(model=model, length=4096)


def test_parameters_are_the_papers(step: Step) -> None:
    assert shape(step.model).all == pytest.approx(6_738_415_616, rel=1e-6)
    shared: EncoderDecoder = recipe.load(EncoderDecoder, "models/t5-base")
    assert shape(shared).embedding < shape(shared).all


def test_sixteen_bytes_a_parameter(step: Step) -> None:
    found = memory(step, Mesh(data=1))
    assert sum(found[name] for name in STATES) == pytest.approx(16 * 6_738_415_616, rel=1e-6)
    assert found["together"] == pytest.approx(sum(size for name, size in found.items() if name != "together"))


@pytest.mark.parametrize(("zero", "parts"), [(1, (8, 4, 1)), (2, (8, 1, 1)), (3, (1, 1, 1))])
def test_zero_shares_what_it_says(step: Step, zero: int, parts: tuple[int, int, int]) -> None:
    """Against all in pieces of 64; a gathered layer and the root come on top."""
    found, whole = memory(step, Mesh(shard=64, zero=zero)), memory(step, Mesh(data=1))
    assert found["optimizer"] == pytest.approx(whole["optimizer"] / 64)
    for name, share in zip(("weights", "gradients"), parts[:2], strict=True):
        assert (found[name] > 0.9 * whole[name]) == (share > 1 and (name != "gradients" or zero == 1))


def test_tensors_and_stages_divide_weights(step: Step) -> None:
    whole, cut = memory(step, Mesh(data=1)), memory(step, Mesh(tensor=4, pipeline=2))
    assert cut["optimizer"] < 0.14 * whole["optimizer"]
    assert memory(step, Mesh(context=2))["activations"] == pytest.approx(whole["activations"] / 2)


def test_muon_keeps_one_momentum(step: Step) -> None:
    muon = Step(model=step.model, length=4096, optimizer=Muon())
    assert memory(muon, Mesh(data=1))["optimizer"] / memory(step, Mesh(data=1))["optimizer"] == pytest.approx(
        0.52, abs=0.01
    )


def test_forgetting_activations_keeps_a_layer(step: Step) -> None:
    again = Step(model=step.model, length=4096, checkpoint_layers=True)
    assert memory(again, Mesh(data=1))["activations"] < 0.15 * memory(step, Mesh(data=1))["activations"]
