"""Progress goes from 0 to 1, by steps or by the clock."""

import pytest

from hornbook.core.errors import RecipeError
from hornbook.train.horizon import Clock, Steps, seconds


@pytest.mark.parametrize("text", ["", "6", "m", "6 m", "6m!", "-6m", "1x"])
def test_what_is_no_span_of_time_is_refused(text):
    with pytest.raises(RecipeError, match="write it like 6m, 1h30m or 90s"):
        seconds(text)


def test_by_steps_the_clock_does_not_matter():
    horizon = Steps(10)
    assert [horizon.progress(step, 99.0) for step in (0, 5, 9.5, 10)] == [0.0, 0.5, 0.95, 1.0]
    assert [horizon.done(step, 99.0, 1.0) for step in (9, 10)] == [False, True]
    assert horizon.seconds_left(4, 8.0) == 12.0


def test_by_the_clock_it_stops_nearest_to_the_mark():
    horizon = Clock(10.0, reserve=2.0)
    assert horizon.progress(3, 4.0) == 0.5
    assert not horizon.done(3, 7.4, 1.0)  # 8.4 is nearer to 8 than 7.4 is
    assert horizon.done(3, 7.6, 1.0)  # 7.6 is nearer than 8.6
    assert not horizon.done(0, 50.0, 1.0)  # one step at least
    assert horizon.total_steps(30, 4.0) == 60
