"""Time, money and energy: published figures come out."""

import pytest

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.model.decoder import Decoder
from hornbook.plan.accelerators import find
from hornbook.plan.estimate import Fleet, affordable, attention_share, bill, multiplied, operations
from hornbook.plan.resize import resize

A100 = Fleet(device=find("a100")[0], mfu=0.40)


def load(name: str) -> Decoder:
    found: Decoder = recipe.load(Decoder, f"models/{name}")
    return found


@pytest.mark.parametrize(("name", "hours"), [("llama2-7b", 180_000), ("llama2-70b", 1_700_000)])
def test_llama_2(name: str, hours: float) -> None:
    """Touvron et al. 2023, table 2: 184,320 and 1,720,320 hours of an A100 for 2T tokens."""
    assert bill(load(name), 2e12, A100).hours == pytest.approx(hours, rel=0.10)


@pytest.mark.parametrize(("size", "dollars"), [(10e9, 150_000), (100e9, 1_500_000)])
def test_ten_and_a_hundred_billion(size: float, dollars: float) -> None:
    """100,000 and a million hours of an A100 at 1.50 dollars, which is 750B tokens at MFU 0.40."""
    assert bill(resize(load("llama2-7b"), size), 750e9, A100).dollars == pytest.approx(dollars, rel=0.10)


def test_gpt_3_on_one_card() -> None:
    """665 years at 15 TFLOP/s: MFU 0.115 of the card's fp16 peak."""
    card = Fleet(device=find("rtx8000")[0], mfu=0.115)
    assert bill(load("gpt3-175b"), 300e9, card).days / 365.25 == pytest.approx(665, rel=0.02)
    assert operations(load("gpt3-175b"), 300e9) == pytest.approx(3.14e23, rel=0.01)  # Brown et al. 2020, table D.1


def test_attention_is_beside_the_matrices() -> None:
    model = load("llama2-7b")
    assert multiplied(model) == 6_738_415_616 - 32000 * 4096 - 65 * 4096  # without the table and the gains
    assert attention_share(model, 4096) == pytest.approx(2 * 32 * 4096 * 4096 / multiplied(model), rel=1e-3)


def test_money_and_energy_are_the_users() -> None:
    model = load("llama2-7b")
    mine = Fleet(device=find("h100x8")[0], count=8, price=2.0, grams=300)
    found = bill(model, 1e9, mine)
    assert found.dollars == pytest.approx(2.0 * found.hours)
    assert found.kilograms == pytest.approx(0.3 * found.kwh)
    assert bill(model, affordable(model, 500, mine), mine).dollars == pytest.approx(500)
    assert bill(model, 1e9, A100).kilograms is None


@pytest.mark.parametrize("wrong", [{"mfu": 0.0}, {"mfu": 1.5}, {"price": -1.0}, {"grams": float("nan")}])
def test_what_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UserError, match=f"--{next(iter(wrong))}: "):
        Fleet(device=find("a100")[0], **wrong)
