"""Python's own arithmetic is the reference; what is no sum, or would take forever, is refused."""

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.align.arithmetic import LONGEST, NoSum, calculate

NUMBERS = st.integers(min_value=0, max_value=99).map(str)
SUMS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", " - ", " + "]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"(-{text})"),
    ),
    max_leaves=12,
)


@given(SUMS)
def test_whole_numbers_are_as_pythons(text: str) -> None:
    if any(sign in text for sign in "+-*"):
        assert calculate(text) == str(eval(text))  # of digits, signs and brackets made above
    else:
        with pytest.raises(NoSum, match="asks for no sum"):
            calculate(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("135+7721", "7856"),  # LaMDA, section 6.2
        ("2**3**2", "512"),
        ("-2**2", "-4"),
        ("2**-1", "0.5"),
        ("10 - 4 - 3", "3"),
        ("8/4/2", "1"),
        ("7 % 4", "3"),
        ("0.1 + 0.2", "0.3"),
        ("9 ^ 0.5", "3"),
        ("1,000 × 3", "3000"),  # noqa: RUF001
        ("(1+2) ÷ 4", "0.75"),
        ("3 + 4 = ?", "7"),
        ("１＋２", "3"),  # noqa: RUF001
        ("2**100 + 1", str(2**100 + 1)),
    ],
)
def test_signs_brackets_and_powers(text: str, value: str) -> None:
    assert calculate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "1 2",
        "1 + ",
        "(1 + 2",
        "1 + 2)",
        "1/0",
        "5 % 0",
        "0 ** -1",
        "__import__('os')",
        "a + b",
        "1e5 + 1",
        "+",
        "()",
    ],
)
def test_what_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(NoSum):
        calculate(text)


@pytest.mark.parametrize("text", ["9**9**9", "2**10**9", "*".join(["999**999"] * 9), "(" * 400 + "1+1", "1+" * LONGEST])
def test_what_would_take_forever_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(NoSum):
        calculate(text)
    assert time.process_time() - began < 1


def test_divisions_are_exact_until_they_are_written() -> None:
    assert calculate("1/3*3") == "1"
    assert calculate("1/3") == f"{float(Fraction(1, 3)):.10f}"
