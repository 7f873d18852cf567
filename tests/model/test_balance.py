"""The balancing loss: by hand, at its minimum, without padding. Beside transformers: tests/exchange/test_mixtral.py."""

import pytest
import torch

from hornbook.model.balance import Routed, balance, unevenness


def routed(weight: float, probabilities: list[list[float]], active: int = 1, real: list[bool] | None = None) -> Routed:
    given = torch.tensor(probabilities)
    return Routed(weight, given, given.topk(active).indices, None if real is None else torch.tensor(real))


def test_by_hand() -> None:
    """3 tokens to expert 0, 1 to expert 1: 2 * (3/4 * 0.65 + 1/4 * 0.35)."""
    found = unevenness([routed(1, [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])])
    assert found.item() == pytest.approx(2 * (0.75 * 0.65 + 0.25 * 0.35))


def test_even_use_costs_the_number_of_active_experts_and_uneven_use_more() -> None:
    even = [[0.4, 0.3, 0.2, 0.1], [0.1, 0.4, 0.3, 0.2], [0.2, 0.1, 0.4, 0.3], [0.3, 0.2, 0.1, 0.4]]
    assert unevenness([routed(1, even, active=2)]).item() == pytest.approx(2)
    assert unevenness([routed(1, [[0.97, 0.01, 0.01, 0.01]] * 4)]).item() == pytest.approx(4 * 0.97)


def test_padding_counts_for_nothing() -> None:
    alone = routed(1, [[0.9, 0.1], [0.3, 0.7]])
    padded = routed(1, [[0.2, 0.8], [0.9, 0.1], [0.3, 0.7]], real=[False, True, True])
    assert unevenness([padded]).item() == pytest.approx(unevenness([alone]).item())
    nothing = routed(1, [[0.2, 0.8]], real=[False])
    assert unevenness([nothing]).item() == 0


def test_sublayers_alike_are_counted_together_and_others_apart() -> None:
    a, b = routed(0.1, [[0.9, 0.1]]), routed(0.1, [[0.1, 0.9]])
    other = routed(0.5, [[0.9, 0.1]])
    together = balance([a, other, b])
    assert together is not None
    assert together.item() == pytest.approx(0.1 * 1.0 + 0.5 * 2 * 0.9)  # a and b balance each other
    assert balance([]) is None
