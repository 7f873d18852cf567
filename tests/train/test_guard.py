"""The guard tells a fault from an ordinary bad step, and never hands out a skipped row."""

import random

import pytest

from hornbook.train.guard import Guard, Watch

NAN, INFINITE = float("nan"), float("inf")


def watch(losses):
    seen = Watch()
    for loss in losses:
        seen.remember(Guard(window=16), loss)
    return seen


def test_what_is_no_number_is_a_fault_at_once():
    assert Watch().fault(Guard(), NAN, 1.0) == "the loss is nan"
    assert Watch().fault(Guard(), 2.0, INFINITE) == "the gradient norm is inf"


def test_ordinary_noise_is_no_fault_and_a_leap_is():
    draw = random.Random(0)
    seen, guard = watch([3 + draw.gauss(0, 0.1) for _ in range(16)]), Guard(window=16, sigmas=8)
    assert all(seen.fault(guard, 3 + draw.gauss(0, 0.1), 1.0) is None for _ in range(2000))
    assert "leapt to 6.000" in (seen.fault(guard, 6.0, 1.0) or "")


def test_a_flat_curve_does_not_make_every_wiggle_a_spike():
    assert watch([2.0] * 16).fault(Guard(window=16, sigmas=8), 2.2, 1.0) is None


def test_nothing_is_called_a_spike_before_the_window_is_full():
    assert watch([3.0] * 15).fault(Guard(window=16), 300.0, 1.0) is None


def test_rows_handed_out_never_touch_a_skipped_window():
    seen = Watch(skipped=[(20, 24), (8, 12), (12, 16)])
    row, given = 0, []
    for _ in range(6):
        row = seen.first_free(row, 4)
        given += range(row, row + 4)
        row += 4
    assert given == [*range(8), *range(16, 20), *range(24, 36)]


@pytest.mark.parametrize(("field", "value"), [("window", 1), ("sigmas", 0.0)])
def test_settings_that_make_no_sense_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}: {value}"):
        Guard(**{field: value})


def test_losses_that_are_rounding_alone_may_leap():
    """The loss of a policy at the texts it has just written is 0 but for what is rounded off."""
    draw = random.Random(0)
    seen, guard = watch([1e-8 * draw.gauss(0, 1) for _ in range(16)]), Guard(window=16, sigmas=8)
    assert seen.fault(guard, 0.05, 1.0) is None
    assert "leapt" in (seen.fault(guard, 0.5, 1.0) or "")
