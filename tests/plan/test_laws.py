"""The laws give the numbers that their papers print."""

import math

import pytest

from hornbook.plan.laws import (
    EPOCH,
    FLOPS,
    HOFFMANN,
    MUENNIGHOFF,
    Kaplan,
    Law,
    Repetition,
    chinchilla,
)

GOPHER = 5.76e23  # operations; Hoffmann et al. 2022, section 1

# Hoffmann et al. 2022, table A3, approach 3: parameters, operations, tokens
TABLE_A3 = [
    (400e6, 2.21e19, 9.2e9),
    (1e9, 1.62e20, 27.1e9),
    (10e9, 2.46e22, 410.1e9),
    (67e9, 1.71e24, 4.1e12),
    (175e9, 1.26e25, 12.0e12),
]


def test_gophers_budget_buys_chinchilla() -> None:
    """Section 4: 70B parameters on 1.4T tokens; 6 N D of that is 5.88e23, 2 % more than Gopher's budget."""
    best = chinchilla(GOPHER)
    assert best.parameters == pytest.approx(70e9, rel=0.02)
    assert best.tokens == pytest.approx(1.4e12, rel=0.02)
    assert best.flops == pytest.approx(GOPHER)
    assert best.loss is None


@pytest.mark.parametrize(("parameters", "flops", "tokens"), TABLE_A3)
def test_hoffmanns_table_of_approach_3(parameters: float, flops: float, tokens: float) -> None:
    """Within a tenth to a sixth: the table was made with digits that the paper does not print."""
    assert HOFFMANN.flops_for(parameters) == pytest.approx(flops, rel=0.17)
    assert HOFFMANN.best(flops).parameters == pytest.approx(parameters, rel=0.08)
    assert HOFFMANN.best(flops).tokens == pytest.approx(tokens, rel=0.08)


def test_hoffmanns_exponents_and_size_for_gophers_budget() -> None:
    """Table 2: a = 0.46, b = 0.54; section 3.3: 40B parameters for Gopher's budget."""
    assert round(HOFFMANN.size_exponent, 2) == 0.46
    assert round(HOFFMANN.token_exponent, 2) == 0.54
    assert HOFFMANN.best(GOPHER).parameters == pytest.approx(40e9, rel=0.05)


def test_epochs_constants_give_twenty_tokens_a_parameter() -> None:
    """Besiroglu et al. 2024, section 4: a = 0.513; 20 tokens a parameter for Gopher, where Hoffmann's give 60."""
    assert round(EPOCH.size_exponent, 3) == 0.513
    assert EPOCH.best(GOPHER).tokens_per_parameter == pytest.approx(20, rel=0.1)
    assert HOFFMANN.best(GOPHER).tokens_per_parameter > 55


@pytest.mark.parametrize("law", [HOFFMANN, EPOCH, MUENNIGHOFF])
def test_no_neighbour_on_the_same_budget_is_better(law: Law) -> None:
    best = law.best(1e21)
    assert best.loss is not None
    for factor in (0.5, 0.97, 1.03, 2):
        size = best.parameters * factor
        assert law.loss(size, 1e21 / FLOPS / size) > best.loss
    assert law.parameters_for(best.tokens) == pytest.approx(best.parameters)
    assert law.flops_for(best.parameters) == pytest.approx(1e21)


def test_the_losses_of_gopher_and_chinchilla() -> None:
    """By equation 10 as printed: 0.052 + 0.251 + 1.69 for Gopher, 0.083 + 0.163 + 1.69 for Chinchilla."""
    printed = Law(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    assert printed.loss(280e9, 300e9) == pytest.approx(1.993, abs=1e-3)
    assert printed.loss(70e9, 1.4e12) == pytest.approx(1.936, abs=1e-3)
    assert printed.best(GOPHER).parameters == pytest.approx(0.8 * HOFFMANN.best(GOPHER).parameters, rel=0.03)
    assert HOFFMANN.loss(1e18, 1e30) == pytest.approx(HOFFMANN.E, abs=1e-3)


def test_kaplan_puts_a_budget_into_size() -> None:
    """Section 6: ten times the budget, 5.4 times the size; one PF-day buys 1.3e9 parameters (table 6)."""
    law = Kaplan()
    assert law.best(8.64e19).parameters == pytest.approx(1.3e9)
    assert law.best(8.64e20).parameters / law.best(8.64e19).parameters == pytest.approx(5.37, abs=0.01)
    assert law.loss(1.5e9, 1e30) == pytest.approx((6.4e13 / 1.5e9) ** 0.076)
    assert law.best(GOPHER).parameters > 5 * chinchilla(GOPHER).parameters


def test_four_passes_are_nearly_new_text_and_forty_are_not() -> None:
    repeated = Repetition()
    size, unique = 8.7e9, 44e9  # the paper's figure 5
    once_more = repeated.loss(size, 4 * unique, unique) - MUENNIGHOFF.loss(size, 4 * unique)
    assert 0 < once_more < 0.01 * MUENNIGHOFF.loss(size, 4 * unique)
    worth = [repeated.worth(1.0, passes - 1) for passes in (1, 4, 16.387756, 1e6)]
    assert worth[0] == 1.0
    assert worth[1] == pytest.approx(3.73, abs=0.01)
    assert worth[2] == pytest.approx(1 + 15.387756 * (1 - math.exp(-1)))
    assert worth[3] == pytest.approx(16.387756), "no number of passes is worth more"


def test_muennighoffs_constants() -> None:
    """Equation 17: 521 / N'^0.353 + 1488 / D'^0.353 + 1.87, with U_N = 0.051 U_D."""
    assert (round(MUENNIGHOFF.A), round(MUENNIGHOFF.B), round(MUENNIGHOFF.E, 2)) == (521, 1488, 1.87)
    assert MUENNIGHOFF.parameters_for(1e9) == pytest.approx(0.051e9, rel=0.01)


def test_with_enough_text_nothing_is_repeated_and_with_little_the_model_is_smaller() -> None:
    repeated = Repetition()
    plenty, free = repeated.best(1e21, 1e13), MUENNIGHOFF.best(1e21)
    assert plenty.parameters == pytest.approx(free.parameters, rel=0.01)
    assert plenty.loss == pytest.approx(free.loss, rel=1e-5)
    scarce = repeated.best(1e21, free.tokens / 10)
    assert scarce.loss is not None
    assert free.loss is not None
    assert scarce.loss > free.loss
    assert scarce.parameters < free.parameters, "epochs are worth more than parameters (section 5)"


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_what_is_no_count_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"parameters: .* is not above 0; give a count"):
        EPOCH.loss(value, 1e9)
    with pytest.raises(ValueError, match="flops: "):
        chinchilla(value)
