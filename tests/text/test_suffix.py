"""Repeated substrings against all substrings counted one by one."""

import random
from collections import defaultdict

import numpy as np
import pytest

from hornbook.text.suffix import repeats, room_left


def by_hand(text: list[int], longest: int) -> dict[tuple[int, ...], set[int]]:
    """Every substring without a wall that occurs twice and goes on in different ways (every wall is another)."""
    places: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for begin in range(len(text)):
        for size in range(1, longest + 1):
            found = tuple(text[begin : begin + size])
            if len(found) == size and 0 not in found:
                places[found].add(begin)
    return {
        found: at
        for found, at in places.items()
        if len(found) > 1 and len(at) > 1 and len({text[i + len(found)] or -i for i in at}) > 1
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("longest", [2, 5, 16])
def test_all_and_only_repeats_are_found(seed: int, longest: int) -> None:
    draw = random.Random(seed)
    text = [draw.choice([0, 1, 1, 2, 2, 3]) for _ in range(300)] + [0]
    found = {}
    for each in repeats(np.array(text, np.int32), longest, np.full(len(text), 99)):
        for group in np.unique(each.group):
            at = each.places[each.group == group].tolist()
            found[tuple(text[at[0] : at[0] + each.length])] = set(at)
    assert found == by_hand(text, longest)


def test_a_place_may_allow_only_short_ones() -> None:
    text = np.array([1, 2, 3, 9, 1, 2, 3, 8, 1, 2, 7, 0], np.int32)
    lengths = [each.length for each in repeats(text, 4, np.full(12, 2)) if len(each.places)]
    assert lengths == [2]


def test_a_text_without_repeats() -> None:
    assert sum(len(each.places) for each in repeats(np.array([1, 2, 3, 0], np.int32), 4, np.full(4, 9))) == 0


def test_room_to_the_next_wall() -> None:
    assert room_left(np.array([5, 5, 0, 7, 0], np.int32)).tolist() == [2, 1, 0, 1, 0]
