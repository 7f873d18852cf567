"""A text counts as a body when the function it ends is Python and does something."""

import pytest

from hornbook.text.python import function_body, is_python

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
def test_what_counts(body: str, counts: bool) -> None:
    assert is_python(HEAD, body) is counts


def test_what_follows_the_function_is_cut_off() -> None:
    assert function_body("\n    return 1\n\n\nclass Next:\n    pass") == "\n    return 1"
