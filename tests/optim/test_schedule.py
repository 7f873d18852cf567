"""Schedules against published vectors and points worked by hand."""

import itertools
import json
from pathlib import Path

import pytest

from hornbook.optim.schedule import WSD, BatchRamp, Constant, Cosine, InverseSqrt, Linear, Schedule

ALL: list[Schedule] = [Constant(), Linear(), Cosine(), WSD(), InverseSqrt()]


def test_cosine_equals_the_course_vectors(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "vectors/cs336_a1_cosine_schedule.json").read_text())
    schedule = Cosine(warmup=vectors["warmup_iters"] / vectors["cosine_cycle_iters"], final=vectors["min_lr"])
    ours = [schedule.multiplier(step / vectors["cosine_cycle_iters"]) for step in range(25)]
    assert ours == pytest.approx(vectors["expected_lr_for_it_0_to_24"], abs=1e-12)


def test_cosine_by_hand() -> None:
    schedule = Cosine(warmup=0.2, final=0.1)
    assert [schedule.multiplier(p) for p in (0, 0.1, 0.2, 0.6, 1, 3)] == pytest.approx([0, 0.5, 1, 0.55, 0.1, 0.1])


def test_wsd_by_hand() -> None:
    points = (0, 0.05, 0.1, 0.6, 0.7, 0.8, 1)
    linear, sqrt = WSD(warmup=0.1, cooldown=0.4), WSD(warmup=0.1, cooldown=0.4, shape="sqrt", final=0.2)
    assert [linear.multiplier(p) for p in points] == pytest.approx([0, 0.5, 1, 1, 0.75, 0.5, 0])
    assert [sqrt.multiplier(p) for p in points] == pytest.approx([0, 0.5, 1, 1, 0.6, 1 - 0.8 * 0.5**0.5, 0.2])


def test_inverse_sqrt_by_hand() -> None:
    schedule = InverseSqrt(warmup=0.04)
    assert [schedule.multiplier(p) for p in (0.02, 0.04, 0.16, 0.64, 1)] == pytest.approx([0.5, 1, 0.5, 0.25, 0.2])


@pytest.mark.parametrize("schedule", ALL, ids=lambda schedule: type(schedule).__name__)
def test_every_schedule_rises_to_one_and_never_rises_again(schedule: Schedule) -> None:
    values = [schedule.multiplier((step + 0.5) / 1000) for step in range(1000)]
    peak = values.index(max(values))
    assert values[peak] == pytest.approx(1, abs=0.03)
    assert all(a <= b for a, b in itertools.pairwise(values[: peak + 1]))
    assert all(a >= b for a, b in itertools.pairwise(values[peak:]))
    assert min(values) > 0, "no step may train nothing"


@pytest.mark.parametrize("schedule", ALL, ids=lambda schedule: type(schedule).__name__)
def test_the_ends_of_a_run_are_defined(schedule: Schedule) -> None:
    assert 0 <= schedule.multiplier(0.0) <= 1
    assert schedule.multiplier(1.0) == schedule.multiplier(1.5) or isinstance(schedule, InverseSqrt)


def test_a_run_that_is_all_warm_up_or_all_cool_down() -> None:
    assert Linear(warmup=1).multiplier(0.5) == 0.5
    assert WSD(warmup=0, cooldown=1).multiplier(0.25) == 0.75
    assert WSD(warmup=0, cooldown=0).multiplier(0.99) == 1


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="warmup: 20 is not a share"):
        Cosine(warmup=20)
    with pytest.raises(ValueError, match=r"warmup 0\.6 and cooldown 0\.5 overlap"):
        WSD(warmup=0.6, cooldown=0.5)
    with pytest.raises(ValueError, match="inverse_sqrt"):
        InverseSqrt(warmup=0)
    with pytest.raises(ValueError, match="start <= end"):
        BatchRamp(start=8, end=4, steps=2)


def test_a_ramp_by_hand() -> None:
    ramp = BatchRamp(start=3, end=17, steps=5)
    assert [ramp.rows(step) for step in range(7)] == [3, 5, 8, 11, 14, 17, 17]
    assert BatchRamp(start=4, end=4, steps=0).rows(0) == 4
