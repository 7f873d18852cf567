"""How much of what a model writes is new: distinct n-grams, and texts that came before.

Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models", section 5.3: distinct-n is
the number of different n-grams over the number of words, of all texts together. It falls as there are more texts, so
only equally many are comparable. Words keep their signs and case (corpus/words.py).
"""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from hornbook.corpus.words import words
from hornbook.evaluate.measured import LeftOut
from hornbook.evaluate.segments import Segments

LENGTHS = (1, 2)


def distinct(segments: Segments) -> dict[str, LeftOut]:
    """distinct-1 and distinct-2 of what was written."""
    cut = [words(text) for text in segments.written]
    sizes = [len(each) for each in cut]
    signature = "n-grams/words|tok:words"
    return {f"distinct{n}": different([ngrams(each, n) for each in cut], sizes, signature) for n in LENGTHS}


def duplicates(segments: Segments) -> LeftOut:
    """The share of texts, empty ones left out, that another one had said before word by word."""
    texts = [[text.strip()] if text.strip() else [] for text in segments.written]
    found = different(texts, [len(each) for each in texts], "segments|case:mixed")
    return LeftOut(1 - found.value, 1 - found.without, found.signature)


def ngrams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """Every n tokens in a row.

    >>> ngrams(["a", "b", "c"], 2)
    [('a', 'b'), ('b', 'c')]
    """
    return list(zip(*(tokens[start:] for start in range(n)), strict=False))


def different(groups: Sequence[Sequence[Hashable]], sizes: Sequence[int], signature: str) -> LeftOut:
    """How many different things there are in all groups over the sum of sizes; and without each group.

    >>> different([["a", "b"], ["b"]], [2, 1], "").value
    0.6666666666666666
    """
    everything = Counter(thing for group in groups for thing in group)
    only_here = [sum(everything[thing] == count for thing, count in Counter(group).items()) for group in groups]
    kinds, total = len(everything), sum(sizes)
    rest = np.maximum(total - np.array(sizes), 1)
    return LeftOut(kinds / max(total, 1), (kinds - np.array(only_here)) / rest, signature)
