"""How documents are spread: by length, by language, by quality score. Counts that add up, whoever made them.

A length is counted in half octaves of characters and a score in twentieths, so a profile has at most some hundred
numbers, and two runs over the same documents have the same.
"""

import math
from dataclasses import dataclass, field

from hornbook.corpus.document import Document

SCORE = "quality"  # the key of a document's metadata under which a classifier leaves its score, from 0 to 1
SCORE_BINS = 20
UNKNOWN = ""  # language of a document of which nobody has said it


@dataclass
class Profile:
    """Documents by what they are like."""

    lengths: dict[str, int] = field(default_factory=dict)
    """Half octave of the characters (`length_bin`) -> documents."""
    languages: dict[str, int] = field(default_factory=dict)
    scores: dict[str, int] = field(default_factory=dict)
    """Twentieth of the score (`score_bin`) -> documents that have one."""

    def add(self, document: Document) -> None:
        """Count one document."""
        count(self.lengths, str(length_bin(len(document.text))))
        count(self.languages, document.language or UNKNOWN)
        if SCORE in document.metadata:
            count(self.scores, str(score_bin(document.metadata[SCORE])))

    def include(self, other: "Profile") -> None:
        """Count what another has counted."""
        for mine, theirs in (
            (self.lengths, other.lengths),
            (self.languages, other.languages),
            (self.scores, other.scores),
        ):
            for name, documents in theirs.items():
                count(mine, name, documents)


def count(counts: dict[str, int], name: str, by: int = 1) -> None:
    """One more of a kind."""
    counts[name] = counts.get(name, 0) + by


def length_bin(characters: int) -> int:
    """The half octave in which a length lies; bin b begins at 2 ** (b / 2), and 0 characters are in bin -1.

    >>> [length_bin(characters) for characters in (0, 1, 2, 3, 4, 1000, 1024)]
    [-1, 0, 2, 3, 4, 19, 20]
    """
    return math.floor(2 * math.log2(characters)) if characters else -1


def score_bin(score: str | float) -> int:
    """The twentieth in which a score lies.

    >>> score_bin("0.07"), score_bin(1.0)
    (1, 19)
    """
    return min(max(math.floor(float(score) * SCORE_BINS), 0), SCORE_BINS - 1)
