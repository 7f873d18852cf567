"""Money becomes hours, hours operations, operations a model that fits."""

import pytest

from hornbook.plan.budget import Budget, Machines, best_for, sharing
from hornbook.plan.laws import EPOCH, MUENNIGHOFF, Repetition

H100 = Machines(name="H100", count=8, flops=989e12, memory=80e9, mfu=0.4, price=2.5)


def test_ten_thousand_dollars_by_hand() -> None:
    """10,000 / 2.5 = 4,000 H100-hours, 500 of the clock, 4,000 * 3600 * 989e12 * 0.4 = 5.7e21 operations."""
    advice = best_for(Budget(money=10_000), H100)
    assert advice.flops == pytest.approx(4000 * 3600 * 989e12 * 0.4)
    assert advice.hours == pytest.approx(500)
    assert advice.money == pytest.approx(10_000)
    assert advice.best == EPOCH.best(advice.flops)
    assert 5e9 < advice.best.parameters < 9e9
    assert advice.best.tokens_per_parameter == pytest.approx(22, abs=3)
    assert best_for(Budget(hours=500), H100).best == best_for(Budget(flops=advice.flops), H100).best
    assert "8 H100 at 40% of the peak (500 hours, 10,000 of money)" in advice.sentence


def test_little_text_is_read_more_than_once_by_a_smaller_model() -> None:
    flops = Budget(money=10_000).operations(H100)
    few = best_for(Budget(money=10_000), H100, unique=20e9)
    assert few.best == Repetition(law=MUENNIGHOFF).best(flops, 20e9)
    assert few.passes == pytest.approx(few.best.tokens / 20e9)
    assert few.passes > 4
    assert few.best.parameters < MUENNIGHOFF.best(flops).parameters
    assert best_for(Budget(money=10_000), H100, unique=1e15).passes == 1
    assert "find more text" in best_for(Budget(money=10_000), H100, unique=1e7).sentence


def test_states_are_shared_by_as_few_as_hold_them() -> None:
    """16 bytes a parameter: 3B are 48 GB and fit in 0.7 * 80 GB, 7B are 112 GB and want two, 100B all 29."""
    assert sharing(3e9, H100) == {"data": 8, "shard": 1}
    assert sharing(7e9, H100) == {"data": 4, "shard": 2}
    assert sharing(10e9, H100) == {"data": 2, "shard": 4}
    assert sharing(100e9, H100) == {"data": 1, "shard": 29}


def test_what_is_no_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly one of flops, hours and money, not none"):
        Budget()
    with pytest.raises(ValueError, match="not flops and money"):
        Budget(flops=1e20, money=5)
    with pytest.raises(ValueError, match="hours: -1 is not above 0"):
        Budget(hours=-1)
    with pytest.raises(ValueError, match="no price of X is known; give --price"):
        best_for(Budget(money=5), Machines(name="X", count=1, flops=1e12, memory=1e9))
    with pytest.raises(ValueError, match="mfu: 40 is a share"):
        Machines(name="X", count=1, flops=1e12, memory=1e9, mfu=40)
