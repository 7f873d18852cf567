"""Stop strings across every way of cutting the text into pieces."""

import itertools

import pytest

from hornbook.core.errors import UserError
from hornbook.generate.stop import StopStrings


def pieces(text: str) -> list[list[str]]:
    """Every way to cut a text."""
    ways = []
    for cuts in itertools.product([False, True], repeat=len(text) - 1):
        way = [text[0]]
        for cut, letter in zip(cuts, text[1:], strict=True):
            if cut:
                way.append(letter)
            else:
                way[-1] += letter
        ways.append(way)
    return ways


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        (["aab"], "ca"),
        (["ab", "aab"], "ca"),  # both are complete at the b: the longer one takes more away
        (["aaabac", "b"], "caaa"),  # b is complete first
        (["cc", "b"], "caaa"),
        (["xyz"], None),
        ([], None),
        (["aaabacc!"], None),
    ],
)
def test_the_text_before_the_first_stop_however_it_is_cut(stops: list[str], expected: str | None) -> None:
    text = "caaabacc"
    for way in pieces(text):
        filter = StopStrings(stops)
        shown = ""
        for piece in way:
            shown += filter.feed(piece)
            if filter.stopped:
                break
        shown += filter.flush()
        assert filter.stopped == (expected is not None)
        assert shown == (text if expected is None else expected), way


def test_nothing_is_held_back_longer_than_needed() -> None:
    stops = StopStrings(["END"])
    assert [stops.feed(letter) for letter in "ENEND"] == ["", "", "EN", "", ""]
    assert stops.stopped
    assert StopStrings(["END"]).feed("plain") == "plain"


def test_an_empty_stop_is_refused() -> None:
    with pytest.raises(UserError, match="stop: an empty text"):
        StopStrings(["", "x"])
