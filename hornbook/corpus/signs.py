"""Signs: which words are words, which have letters, and which are punctuation alone."""

# ruff: noqa: RUF001 - the signs of every script, some of which look like others

import string

from hornbook.corpus.words import TERMINAL

CONTROLS = "".join(map(chr, [*range(9), *range(11, 32), *range(127, 160)]))
SIGNS = string.punctuation + "—”％〈〉、━【】「」『』，；～“《》„’«»∶´．–（）？！：。…►" + CONTROLS
SIGNS += "".join(sorted(TERMINAL))
"""Those that CCNet takes off (Wenzek et al. 2020), and what ends a sentence in any script; no bullets."""
SINGLE = frozenset(SIGNS)


def is_solid(word: str) -> bool:
    """Whether there is more to a word than signs.

    >>> is_solid("n't"), is_solid("?!"), is_solid("•")
    (True, False, True)
    """
    return word.isalnum() or (word not in SINGLE and bool(word.strip(SIGNS)))


def has_letter(word: str) -> bool:
    """Whether there is a letter in a word."""
    return word.isalpha() or any(map(str.isalpha, word))
