"""Seconds by name, and the sum over the tasks of every stage."""

import time
from pathlib import Path

import pytest

from hornbook.core.files import write_json
from hornbook.corpus.clock import Clock, timing
from hornbook.corpus.task import Place


def test_time_goes_to_the_name_under_which_it_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def things():
        for number in range(3):
            now[0] += 2.0
            yield number

    clock, seen = Clock(), []
    for thing in clock.each("read", things()):
        seen.append(thing)
        with clock("step"):
            now[0] += 0.5
    assert seen == [0, 1, 2]
    assert clock.seconds == {"read": 6.0, "step": 1.5}


def test_the_tasks_of_a_stage_are_summed(tmp_path: Path) -> None:
    for stage, number, seconds in ((0, 0, {"a": 1.0}), (0, 1, {"a": 0.5, "b": 2.0}), (10, 0, {"c": 1.0}), (2, 0, {})):
        place = Place(tmp_path / f"stage-{stage}", number)
        write_json(place.timing, seconds)
        write_json(place.ledger, {})
    write_json(tmp_path / "stage-0" / "decided", {"c": 4.0})
    write_json(Place(tmp_path / "stage-0", 2).timing, {"a": 100.0})  # killed before it was done
    assert timing(tmp_path)["stages"] == [
        {"tasks": 2, "steps": {"a": 1.5, "b": 2.0, "c": 4.0}},
        {"tasks": 1, "steps": {}},
        {"tasks": 1, "steps": {"c": 1.0}},
    ]
