"""Processes of this machine: answers in the order of the questions, errors as they are."""

import os
import time

import pytest

from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus.local import AHEAD, Local, cores, each


def slow_at_first(number: int) -> tuple[int, int]:
    time.sleep(0.05 if number < 2 else 0)
    return number, os.getpid()


def fails_at_three(number: int) -> int:
    if number == 3:
        raise UserError("three: too many; take two")
    return number


def test_answers_come_in_order_from_other_processes() -> None:
    answers = list(Local(processes=2).each(slow_at_first, range(12)))
    assert [number for number, _ in answers] == list(range(12))
    assert os.getpid() not in {process for _, process in answers}


def test_one_process_is_this_one() -> None:
    assert list(Local().each(slow_at_first, [5])) == [(5, os.getpid())]
    assert list(Local().each(slow_at_first, [])) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_raised_as_it_is(processes: int) -> None:
    seen = []
    with pytest.raises(UserError, match="three: too many; take two"):
        seen.extend(each(fails_at_three, range(100), processes=processes))
    assert seen == [0, 1, 2]


def test_what_is_given_out_is_little() -> None:
    """The list of things may be long and is not run through at once."""
    given = []

    def things():
        for number in range(100):
            given.append(number)
            yield number

    answers = each(slow_at_first, things(), processes=2)
    next(answers)
    assert len(given) <= 2 * AHEAD + 1
    answers.close()


def test_as_many_as_there_are_cores() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
    with pytest.raises(RecipeError, match="engine: processes: 0 do nothing"):
        recipe.parse(Local, {"processes": 0}, "engine")
