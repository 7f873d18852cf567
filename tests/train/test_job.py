"""How long a run is, worked out from steps, tokens, epochs or a budget."""

import dataclasses

import pytest

from hornbook.core.errors import UserError
from hornbook.train.config import Train
from hornbook.train.guard import Watch
from hornbook.train.horizon import Clock, Steps
from hornbook.train.job import Job, Progress, horizon, rows_per_step
from tests.train.doubles import Counting


def job(**fields):
    return Job(model=None, objective=None, source=Counting(), **fields)


@pytest.mark.parametrize(
    ("length", "wanted"),
    [
        ({"steps": 7}, Steps(7)),
        ({"tokens": 640}, Steps(20)),
        ({"epochs": 0.5}, Steps(8)),  # half of 64 rows of 8 tokens, 32 tokens a step
        ({"budget": "90s"}, Clock(90.0)),
    ],
)
def test_the_length_of_a_run(length, wanted):
    assert horizon(Train(tokens_per_step=32, **length), job()) == wanted


def test_rows_of_a_step_are_whole():
    assert rows_per_step(Train(steps=1, tokens_per_step=39), job()) == 4


def test_rows_may_be_what_is_counted():
    assert rows_per_step(Train(steps=1, rows_per_step=5), job()) == 5
    assert rows_per_step(Train(steps=1, rows_per_step=5), job(rows_per_step=6)) == 6
    assert horizon(Train(epochs=1, rows_per_step=16), job()) == Steps(4)
    with pytest.raises(UserError, match="rows_per_step: 1 is less than a row for each of 2 processes"):
        rows_per_step(Train(steps=1, rows_per_step=1, processes=2), job())


def test_progress_survives_json():
    import json

    progress = Progress(step=3, row=12, tokens=96, seconds=1.5, reserve=0.1, watch=Watch([1.0, 2.0], [(4, 8)]))
    again = Progress.read(json.loads(json.dumps(progress.state())))
    assert dataclasses.asdict(again) == dataclasses.asdict(progress)
