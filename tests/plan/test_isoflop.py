"""Parabolas find the best sizes of a known law; the public runs' exponents lie in Hoffmann's intervals."""

from pathlib import Path

import numpy as np
import pytest

from hornbook.plan.fit import Trained
from hornbook.plan.isoflop import PUBLISHED, by_budget, fit_isoflops, parabola
from hornbook.plan.laws import EPOCH, FLOPS
from tests.plan.test_fit import public_runs

BUDGETS = (1e18, 1e19, 1e20, 1e21)


def isoflops(noise: float = 0.0) -> list[Trained]:
    random, found = np.random.default_rng(0), []
    for flops in BUDGETS:
        for size in EPOCH.best(flops).parameters * np.geomspace(1 / 4, 4, 7):
            tokens = flops / FLOPS / size
            found.append(Trained(size, tokens, EPOCH.loss(size, tokens) * float(np.exp(noise * random.normal()))))
    return found


def test_a_known_law_comes_back() -> None:
    """The lowest point of a loss that is no quite even valley is found within a few percent, its exponent in a half."""
    found = fit_isoflops(isoflops(), draws=20)
    assert found.exponent == pytest.approx(EPOCH.size_exponent, abs=0.005)
    assert found.token_exponent == pytest.approx(EPOCH.token_exponent, abs=0.005)
    for curve in found.curves:
        assert curve.best == pytest.approx(EPOCH.best(curve.flops).parameters, rel=0.05)
        assert curve.inside
    assert found.best(1e22).parameters == pytest.approx(EPOCH.best(1e22).parameters, rel=0.06)
    assert found.best(1e22).flops == pytest.approx(1e22)


def test_the_interval_holds_the_truth_and_widens_with_noise() -> None:
    still, noisy = fit_isoflops(isoflops(0.001), draws=100), fit_isoflops(isoflops(0.005), draws=100)
    assert noisy.interval[0] < EPOCH.size_exponent < noisy.interval[1]
    assert noisy.interval[1] - noisy.interval[0] > 2 * (still.interval[1] - still.interval[0])
    assert noisy.token_interval == pytest.approx((1 - noisy.interval[1], 1 - noisy.interval[0]))


def test_the_public_runs_exponents_are_the_published_ones(shared_data: Path) -> None:
    """a = 0.49 (0.462, 0.534) and b = 0.51 (0.483, 0.529): Hoffmann et al. 2022, table 2, approach 2."""
    found = fit_isoflops(public_runs(shared_data))
    assert len(found.curves) == 9
    for ours, name in ((found.exponent, "size"), (found.token_exponent, "tokens")):
        value, (low, high) = PUBLISHED[name]
        assert low < ours < high
        assert abs(ours - value) < 0.03
    assert found.interval[0] < 0.36 / 0.70 < found.interval[1], "the law they were made with: test_fit.py"


def test_a_parabola_by_hand() -> None:
    runs = [Trained(np.exp(x), 1.0, 2 + 0.5 * (x - 3) ** 2) for x in (1, 1.5, 2, 5)]
    curve = parabola(1.0, runs)
    assert (curve.best, curve.lowest, curve.width) == pytest.approx((np.exp(3), 2.0, 0.5))
    assert curve.loss(np.exp(5)) == pytest.approx(4.0)
    assert curve.inside
    assert not parabola(1.0, runs[:3]).inside


def test_budgets_are_told_apart_by_two_digits() -> None:
    groups = by_budget([Trained(1e6, 1e7, 3.0), Trained(2e6, 5.02e6, 3.0), Trained(2e6, 1e7, 3.0)])
    assert {flops: len(runs) for flops, runs in groups.items()} == {6e13: 2, 1.2e14: 1}


def test_what_has_no_lowest_point_is_refused() -> None:
    hill = [Trained(n, 1e12 / n, 3 - abs(np.log(n / 1e6)) / 10) for n in (2e5, 1e6, 5e6)]
    with pytest.raises(ValueError, match="the loss has no lowest point in size"):
        fit_isoflops([*hill, *(Trained(r.parameters, 2 * r.tokens, r.loss) for r in hill)])
    with pytest.raises(ValueError, match="0 budgets with 3 sizes or more"):
        fit_isoflops(
            [
                *[Trained(n, 10000000.0, 3.0) for n in (1000000.0, 2000000.0, 3000000.0, 4000000.0, 5000000.0)][:4],
                Trained(1000000.0, 20000000.0, 3.0),
            ]
        )
