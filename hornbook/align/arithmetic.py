"""A calculator that reads text: + - * / ** % and brackets, on numbers, and nothing else.

Own parser by precedence climbing; nothing of the text is ever executed. Whole numbers stay exact. What would take
forever (2 ** 10 ** 9) is refused.
"""

import math
import re
import sys
from fractions import Fraction

_TOKEN = re.compile(r"\s*(?:(\d+(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)|(\*\*|[-+*/%^()]))")
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-", "（": "(", "）": ")", "＋": "+"})  # noqa: RUF001
BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "**": 4}  # how strongly; a minus sign before a number binds with 3
LARGEST_POWER = 1000
DIGITS = 4000  # a number with more is refused
LONGEST = 1000  # characters of a sum
DEEPEST = 50  # brackets in brackets


class NoSum(ValueError):
    """The text is no arithmetic."""


def calculate(text: str) -> str:
    """The value of an expression, as text; NoSum where it is none.

    >>> calculate("135+7721"), calculate("2 * (3 - 5) ** 2 / 3"), calculate("1,000 * 3")
    ('7856', '2.6666666667', '3000')
    """
    if len(text) > LONGEST:
        raise NoSum("the sum is too long")
    tokens = _tokens(text.translate(_SIGNS).rstrip(" =?\n"))
    if not any(token in BINDS for token in tokens):
        raise NoSum(f"{text!r} asks for no sum")
    value, rest = _expression(tokens, 0, 0)
    if rest:
        raise NoSum(f"{rest[0]!r} is more than a sum")
    return _written(value)


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None:
            raise NoSum(f"{text[place:].strip()[:20]!r} is no number and no sign")
        found.append((match[1] or match[2]).replace(",", "").replace("^", "**"))
        place = match.end()
    return found


def _expression(tokens: list[str], least: int, depth: int) -> tuple[Fraction, list[str]]:
    """The value of what binds at least as strongly as `least`, and the tokens after it."""
    value, tokens = _operand(tokens, depth)
    while tokens and BINDS.get(tokens[0], -1) > least:
        sign = tokens[0]
        right = BINDS[sign] - (sign == "**")  # 2 ** 3 ** 2 is 2 ** (3 ** 2)
        other, tokens = _expression(tokens[1:], right, depth + 1)
        value = _apply(sign, value, other)
    return value, tokens


def _operand(tokens: list[str], depth: int) -> tuple[Fraction, list[str]]:
    if not tokens or depth > DEEPEST:
        raise NoSum("too many brackets" if tokens else "a number is missing")
    first, rest = tokens[0], tokens[1:]
    if first in "+-":
        value, rest = _expression(rest, 3, depth + 1)
        return (-value if first == "-" else value), rest
    if first == "(":
        value, rest = _expression(rest, 0, depth + 1)
        if not rest or rest[0] != ")":
            raise NoSum("a bracket is not closed")
        return value, rest[1:]
    if first in BINDS or first == ")":
        raise NoSum(f"{first!r} stands where a number belongs")
    return Fraction(first), rest


def _apply(sign: str, a: Fraction, b: Fraction) -> Fraction:
    if sign in "/%" and b == 0:
        raise NoSum("nothing can be divided by 0")
    if sign == "**":
        return _power(a, b)
    if sign == "+":
        return a + b
    if sign == "-":
        return a - b
    return a * b if sign == "*" else a / b if sign == "/" else a % b


def _power(a: Fraction, b: Fraction) -> Fraction:
    size = max(abs(a.numerator), a.denominator).bit_length() * abs(b)
    if abs(b) > LARGEST_POWER or size > DIGITS * 3 or (a == 0 and b < 0):
        raise NoSum(f"{_written(a)} ** {_written(b)} is out of reach")
    if b.denominator == 1:
        return a ** int(b)
    root = float(a) ** float(b) if a >= 0 else math.nan
    if not math.isfinite(root):
        raise NoSum("a root of a negative number")
    return Fraction(root)


def _written(value: Fraction) -> str:
    """Whole numbers in full, others to ten places."""
    if value.denominator == 1 and value.numerator.bit_length() < 3 * DIGITS:
        return str(value.numerator)
    if value.denominator == 1 or abs(value) > sys.float_info.max:
        raise NoSum("the number is out of reach")
    return f"{float(value):.10f}".rstrip("0").rstrip(".")
