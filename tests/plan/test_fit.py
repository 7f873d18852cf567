"""Known constants come back from made-up runs, and the public isoFLOP runs' law is found to the last digit."""

import json
from pathlib import Path

import numpy as np
import pytest

from hornbook.plan.fit import DELTA, Trained, _Points, fit, middle
from hornbook.plan.laws import EPOCH, FLOPS, Law


def runs_of(law: Law, noise: float = 0.0) -> list[Trained]:
    random = np.random.default_rng(0)
    grid = [(size, size * ratio) for size in np.geomspace(1e7, 1e10, 7) for ratio in (2, 6, 20, 60, 200)]
    return [Trained(n, d, law.loss(n, d) * float(np.exp(noise * random.normal()))) for n, d in grid]


def public_runs(shared_data: Path) -> list[Trained]:
    rows = json.loads((shared_data / "scaling" / "cs336_isoflops_curves.json").read_text())
    return [
        Trained(row["parameters"], row["compute_budget"] / FLOPS / row["parameters"], row["final_loss"]) for row in rows
    ]


def test_known_constants_are_recovered() -> None:
    found = fit(runs_of(EPOCH), draws=5)
    for name in ("E", "A", "B", "alpha", "beta"):
        assert getattr(found.law, name) == pytest.approx(getattr(EPOCH, name), rel=1e-5), name
    assert found.worst() < 1e-7


def test_with_noise_the_intervals_hold_the_truth_and_have_a_width() -> None:
    found = fit(runs_of(EPOCH, noise=0.003), draws=100)
    for name in ("E", "alpha", "beta", "size_exponent"):
        low, high = found.interval(name)
        assert low < getattr(EPOCH, name) < high
        assert high - low > 1e-3
    loss, (low, high) = found.predict(7e10, 1.4e12)
    assert low < EPOCH.loss(7e10, 1.4e12) < high
    assert loss == pytest.approx(EPOCH.loss(7e10, 1.4e12), rel=0.01)


def test_one_wild_run_hardly_moves_the_law() -> None:
    runs = runs_of(EPOCH)
    runs[17] = Trained(runs[17].parameters, runs[17].tokens, 2 * runs[17].loss)
    assert fit(runs, draws=0).law.loss(7e10, 1.4e12) == pytest.approx(EPOCH.loss(7e10, 1.4e12), rel=1e-3)


def test_the_law_behind_the_public_runs_is_found(shared_data: Path) -> None:
    """The course's runs are made up from a law that it does not print; its digits come out round, so this is it."""
    found = fit(public_runs(shared_data), draws=20)
    law = found.law
    assert (round(law.E, 4), round(law.A, 2), round(law.B, 2)) == (2.69, 1606.4, 3210.7)
    assert (round(law.alpha, 5), round(law.beta, 5)) == (0.34, 0.36)
    assert found.worst() < 1e-6
    assert 0.462 < law.size_exponent < 0.534, "Hoffmann et al. 2022, table 2, approach 2: 0.49 (0.462, 0.534)"
    assert law.size_exponent == pytest.approx(EPOCH.size_exponent, abs=0.002), "Besiroglu et al. 2024: 0.513"


def test_gradient_and_value_by_hand() -> None:
    """Huber on a residual inside delta and one outside it, against differences and the formula."""
    points = _Points(np.log(np.array([(1e6, 1e8, 3.0), (1e7, 3e8, 2.5), (2e6, 1e9, 2.8)])))
    numbers, weights = np.array([[0.1, -0.3, 0.4, 0.3, 0.2]]), np.array([[1.0, 2.0, 0.0]])
    value, slope = points.huber(numbers, weights)
    steps = 1e-7 * np.eye(5)
    by_difference = [
        (points.huber(numbers + s, weights)[0] - points.huber(numbers - s, weights)[0]) / 2e-7 for s in steps
    ]
    assert slope[0] == pytest.approx(np.array(by_difference)[:, 0], rel=1e-5, abs=1e-6)
    law = points.law(numbers[0])
    errors = [np.log(law.loss(n, d) / loss) for n, d, loss in ((1e6, 1e8, 3.0), (1e7, 3e8, 2.5))]
    by_hand = sum(w * (abs(e) - DELTA / 2) for w, e in zip((1, 2), errors, strict=True))
    assert value[0] == pytest.approx(by_hand)


def test_an_interval_is_of_the_values() -> None:
    assert middle([3.0]) == (3.0, 3.0)
    low, high = middle(list(range(1001)))
    assert (low, high) == pytest.approx((25.0, 975.0))


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        ([Trained(1e6, 1e7, 3.0)] * 4, "runs: 4 are too few for the five numbers of a law; train 5 or more"),
        ([Trained(1e6, 1e7, float("nan"))] * 5, "run 1: loss is nan; give a number above 0"),
        ([Trained(1e6, 0, 3.0)] * 5, "run 1: tokens is 0"),
        ([Trained(1e6, d, 3.0) for d in (1e6, 2e6, 3e6, 4e6, 5e6)], "runs: all have the same parameters"),
        ([Trained(n, 1e6, 3.0) for n in (1e6, 2e6, 3e6, 4e6, 5e6)], "runs: all have the same tokens"),
    ],
)
def test_runs_that_no_law_fits_are_refused(runs: list[Trained], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        fit(runs)


@pytest.mark.parametrize("what", ["parameters", "tokens"])
def test_runs_that_get_worse_with_more_have_no_law(what: str) -> None:
    """A text learned by heart: the held-out loss rises."""
    worse = {"parameters": lambda n, d: 3 + n / 1e9 + 10 / d**0.2, "tokens": lambda n, d: 3 + d / 1e9 + 10 / n**0.2}
    grid = [(n, d) for n in (1e6, 4e6, 1.6e7, 6.4e7) for d in (1e7, 4e7, 1.6e8)]
    with pytest.raises(ValueError, match=f"more {what} do not lower the loss"):
        fit([Trained(n, d, worse[what](n, d)) for n, d in grid], draws=2)
