"""Sinusoidal positions: the paper's formula, and its point: a shift is a rotation."""

import math

import torch

from hornbook.model.position import Place
from hornbook.model.sinusoidal import Sinusoidal


def waves(dim: int, places: list[int]) -> torch.Tensor:
    position = Sinusoidal().build(Place(dim, 1, dim, 0))
    return position.add(torch.zeros(1, len(places), dim), torch.tensor([places]))[0]


def test_the_formula_of_the_paper() -> None:
    found = waves(6, [0, 1, 7])
    for row, place in enumerate([0, 1, 7]):
        want = [f(place / 10_000 ** (2 * i / 6)) for f in (math.sin, math.cos) for i in range(3)]
        torch.testing.assert_close(found[row], torch.tensor(want))


def test_an_odd_width_has_one_more_sine() -> None:
    assert waves(5, [0])[0].tolist() == [0, 0, 0, 1, 1]


def test_a_product_depends_on_the_distance_only() -> None:
    """Section 3.5: PE(p + k) is a linear function of PE(p), so products of two depend on k alone."""
    found = waves(64, list(range(50)))
    products = found @ found.T
    for k in (0, 3, 17):
        torch.testing.assert_close(products.diagonal(k), products[0, k].expand(50 - k))
