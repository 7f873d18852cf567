"""Many minimisations at once end where scipy's single ones do."""

import numpy as np
import pytest

from hornbook.plan.bfgs import Array, minimise


def rosenbrock(points: Array) -> tuple[Array, Array]:
    x, y = points.T
    slopes = np.stack([-400 * x * (y - x**2) - 2 * (1 - x), 200 * (y - x**2)], axis=1)
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2, slopes


def test_every_start_finds_the_bottom_of_the_valley() -> None:
    starts = np.array([[-1.2, 1.0], [0.0, 0.0], [2.0, -3.0], [1.0, 1.0]])
    ends, values = minimise(rosenbrock, starts)
    assert ends == pytest.approx(np.ones((4, 2)), abs=1e-5)
    assert values.max() < 1e-10
    assert starts[0, 0] == -1.2, "what was given is left as it was"


def test_starts_do_not_know_of_each_other() -> None:
    starts = np.array([[-1.2, 1.0], [30.0, 5.0]])
    together = minimise(rosenbrock, starts, steps=15)[0]
    alone = np.concatenate([minimise(rosenbrock, start[None], steps=15)[0] for start in starts])
    assert np.array_equal(together, alone)


def test_a_quadratic_ends_where_scipy_ends() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    random = np.random.default_rng(0)
    root, centre = random.normal(size=(5, 5)), random.normal(size=5)
    matrix = root @ root.T + 0.1 * np.eye(5)

    def objective(points: Array) -> tuple[Array, Array]:
        off = points - centre
        return np.einsum("si,ij,sj->s", off, matrix, off), 2 * off @ matrix

    ends, _ = minimise(objective, np.zeros((1, 5)))
    found = optimize.minimize(lambda x: objective(x[None])[0][0], np.zeros(5), method="L-BFGS-B", tol=1e-12)
    assert ends[0] == pytest.approx(centre, abs=1e-6)
    assert found.x == pytest.approx(ends[0], abs=1e-3)


def test_a_start_where_nothing_is_defined_stays_there() -> None:
    def objective(points: Array) -> tuple[Array, Array]:
        return np.log(points[:, 0]) ** 2, 2 * np.log(points) / points

    with np.errstate(all="ignore"):
        ends, _ = minimise(objective, np.array([[4.0], [0.01]]))
    assert ends[:, 0] == pytest.approx([1.0, 1.0], abs=1e-5)
