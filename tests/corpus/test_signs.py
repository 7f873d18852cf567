"""Signs and letters of words."""

import pytest

from hornbook.corpus.signs import has_letter, is_solid


@pytest.mark.parametrize(("word", "solid", "letter"), [
    ("word", True, True), ("n't", True, True), ("42", True, False), ("...", False, False), ("。", False, False),
    ("•", True, False), ("中", True, True), ("$", False, False), ("½", True, False), ("\x07", False, False),
    ("a1", True, True),
])  # fmt: skip
def test_what_a_word_is_made_of(word: str, solid: bool, letter: bool) -> None:
    assert (is_solid(word), has_letter(word)) == (solid, letter)
