"""The estimators against the exact sum over a vocabulary, and the coefficient that follows its target."""

import pytest
import torch

from hornbook.objective.kl import Kl, k1, k2, k3


def test_the_estimators_are_of_the_divergence() -> None:
    """Weighted by how often the policy says each token, k1 and k3 are the exact sum; k2 is near where both are."""
    draw = torch.Generator().manual_seed(0)
    policy = torch.randn(50, generator=draw).softmax(0)
    reference = (policy.log() + 0.1 * torch.randn(50, generator=draw)).softmax(0)
    ratio = policy.log() - reference.log()
    exact = float(torch.nn.functional.kl_div(reference.log(), policy, reduction="sum"))
    assert float((policy * k1(ratio)).sum()) == pytest.approx(exact, rel=1e-4)
    assert float((policy * k3(ratio)).sum()) == pytest.approx(exact, rel=1e-4)
    assert float((policy * k2(ratio)).sum()) == pytest.approx(exact, rel=0.1)
    assert (k3(ratio) >= 0).all()


def test_by_hand() -> None:
    """The policy says a token twice as often: log 2, half its square, 1/2 - 1 + log 2."""
    ratio = torch.tensor([2.0]).log()
    assert [float(k(ratio)) for k in (k1, k2, k3)] == pytest.approx([0.693147, 0.240227, 0.193147], abs=1e-6)


def test_the_coefficient_follows_its_target() -> None:
    """A relative error of 0.1 moves it by a hundredth, one of 3 by no more than one of 0.2 (Ziegler et al. 2019)."""
    held = Kl(coefficient=0.5, target=0.1)
    assert held.next(0.5, 0.11) == pytest.approx(0.505)
    assert held.next(0.5, 0.4) == pytest.approx(0.51)
    assert held.next(0.5, 0.0) == pytest.approx(0.49)
    assert Kl(coefficient=0.5).next(0.5, 9.0) == 0.5


@pytest.mark.parametrize(("fields", "sentence"), [({"coefficient": 0}, "kl: null"), ({"target": -1.0}, "not above 0")])
def test_what_holds_nothing_back_is_refused(fields: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Kl(**fields)
