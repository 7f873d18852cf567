"""The chosen mesh fits, divides the world, and costs what is said."""

import dataclasses

import pytest

from hornbook.core import recipe
from hornbook.model.decoder import Decoder
from hornbook.plan.accelerators import find
from hornbook.plan.estimate import Fleet
from hornbook.plan.memory import Step, shape
from hornbook.plan.meshes import choose, fits, price, smallest_change, traffic
from hornbook.train.mesh import Mesh


def fleet(text: str) -> Fleet:
    device, count = find(text)
    return Fleet(device=device, count=count)


@pytest.fixture(scope="module")
def seventy() -> Step:
    model: Decoder = recipe.load(Decoder, "models/llama2-70b")
    return Step(model=model, length=4096)


def test_seventy_billion_on_64(seventy: Step) -> None:
    found = choose(seventy, fleet("h100x64"))
    best = found[0]
    assert fits(best, find("h100")[0])
    assert best.mesh.sizes(64)
    assert 8 % best.mesh.tensor == 0  # the heads of keys and values
    assert all(best.seconds <= each.seconds for each in found)
    assert not fits(price(seventy, Mesh(data=64), fleet("h100x64")), find("h100")[0])


def test_what_does_not_fit_says_what_would(seventy: Step) -> None:
    assert choose(seventy, fleet("h100x4")) == []
    said = smallest_change(seventy, fleet("h100x4"))
    more = int(said.split()[1])
    assert said == f"take {more} devices instead of 4"
    assert choose(seventy, fleet(f"h100x{more}"))
    assert not choose(seventy, fleet(f"h100x{more // 2}"))


def test_bytes_on_the_wire(seventy: Step) -> None:
    """A ring passes each gradient on twice, less its own share."""
    sent = traffic(seventy, Mesh(data=4), 4)
    assert sent["data"] == pytest.approx(2 * 3 / 4 * 4 * shape(seventy.model).all, rel=1e-3)
    assert sent["tensor"] == sent["pipeline"] == 0
    once, twice = (traffic(dataclasses.replace(seventy, tokens=n), Mesh(shard=4), 4)["shard"] for n in (2**16, 2**17))
    assert twice == pytest.approx(2 * once)
