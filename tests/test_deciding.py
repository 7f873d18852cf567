"""The decision is reckoned with the machine that is named, or with this one at its measured peak."""

import pytest

from hornbook.core.errors import UserError
from hornbook.deciding import HERE, Told, decide, machines


def test_a_large_cluster_trains_what_a_laptop_tunes() -> None:
    told = Told(own="20B", base="1B", hours=240)
    assert decide(told, "h100x64", 0.4).startswith("Answer: train from scratch")
    assert decide(told, HERE, 0.4).startswith("Answer: fine-tune, going on with pretraining")
    assert "this machine" in decide(told, HERE, 0.4)


def test_the_table_and_this_machine() -> None:
    assert machines("h100x8", 0.5).count == 8
    assert machines("h100x8", 0.5).flops == 989e12
    assert 1e9 < machines(HERE, 0.4).flops < 1e15


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="--own"):
        decide(Told(own="much"), "h100", 0.4)
    with pytest.raises(UserError, match="hours: -1"):
        decide(Told(own="1M", hours=-1), "h100", 0.4)
