"""A completion counts when the function it ends is Python and does something."""

import pytest

from hornbook.evaluate.completion import function_body, is_python, parse_rate

HEAD = 'def area(width, height):\n    """The area."""\n'


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        ("    return width * height", True),
        ("    if width:\n        return 1\n    return 0", True),
        ("    return (width", False),  # not closed
        ("return width", False),  # not indented: outside the function
        ("    pass", False),  # says nothing
        ("    ...", False),
        ('    "only a string"', False),
        ("", False),
        ("    x = 1\n  y = 2", False),  # indentation that fits nothing
        ("    \x00", False),  # ast.parse refuses it with ValueError
        ("    return " + "(" * 500, False),
    ],
)
def test_what_counts(body, counts):
    assert is_python(HEAD, body) is counts


def test_what_follows_the_function_is_cut_off():
    assert function_body("\n    return 1\n\n\nclass Next:\n    pass") == "\n    return 1"


def test_the_rate_counts_and_keeps_what_was_written():
    rate = parse_rate([HEAD, HEAD], lambda prompts: ["    return 1\nx = (", "    return ("])
    assert (rate.parsed, rate.trials, rate.share) == (1, 2, 0.5)
    assert rate.completions == ("    return 1", "    return (")
    assert rate.interval[0] < 0.5 < rate.interval[1]
