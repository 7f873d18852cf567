"""Repetition against Welleck's definition and against a search by brute force."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.evaluate.repetition import longest_run, repetition
from hornbook.evaluate.segments import Segments


def brute_force(tokens: list[str]) -> int:
    best = 0
    for start in range(len(tokens)):
        for end in range(start + 2, len(tokens) + 1):
            piece = tokens[start:end]
            for period in range(1, len(piece) // 2 + 1):
                if all(piece[i] == piece[i - period] for i in range(period, len(piece))):
                    best = max(best, len(piece))
    return best


@given(st.lists(st.sampled_from("abc"), max_size=14))
def test_the_longest_run_by_brute_force(tokens: list[str]) -> None:
    assert longest_run(tokens) == brute_force(tokens)


def test_a_model_that_goes_round_in_circles() -> None:
    """`no no no no no`: four pairs of which one is new, three triples, two of four; the other text repeats nothing."""
    found = repetition(Segments(["no no no no no", "he said so"]))
    assert found["rep2"].each == [3 / 4, 0]
    assert found["rep3"].each == pytest.approx([2 / 3, 0])
    assert found["rep4"].each == [1 / 2, 0]
    assert found["run"].each == [5, 0]
    assert found["rep4"].score().value == 0.25


def test_lines_and_chinese() -> None:
    found = repetition(Segments(["我在。\n我在。\n\n我在。\n走"], language="zh"))
    assert found["lines"].each == [2 / 4]
    assert found["run"].each == [9]  # 我 在 。 three times, whatever stands between the lines
