"""How alike two short texts are: ROUGE-L, the words they have in common in the same order; and what is new among many.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries"; the F measure, equal to Google's `rouge-score`
without stemming on English. A script without spaces is compared character by character, which that package, whose words
are of a-z and 0-9, cannot do. The subsequence is found with one addition of long numbers a word (Crochemore
et al. 2001).
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import regex

from hornbook.corpus.words import UNSPACED

WORD = regex.compile(rf"{UNSPACED.pattern}|[a-z0-9]+|[[\p{{L}}\p{{N}}]--[a-z0-9]]+", regex.V1)


def words(text: str) -> list[str]:
    """What is compared: words in lower case without signs; characters of scripts without spaces.

    >>> words("Don't say 10km!"), words("写一首诗。")
    (['don', 't', 'say', '10km'], ['写', '一', '首', '诗'])
    """
    return WORD.findall(text.lower())


def common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest sequence of words that both have in this order, not necessarily side by side.

    >>> common("the cat sat on the mat".split(), "the dog sat on a mat".split())
    4
    """
    places: dict[str, int] = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(first)) - 1
    row = full  # bit i is 0 where the length grows at word i of `first`
    for word in second:
        hit = row & places.get(word, 0)
        row = ((row + hit) | (row - hit)) & full
    return len(first) - row.bit_count()


def rouge_l(first: Sequence[str], second: Sequence[str]) -> float:
    """F of ROUGE-L, between 0 (nothing in common) and 1.

    >>> rouge_l(words("The cat sat."), words("The cat ran."))
    0.6666666666666666
    """
    return 2 * common(first, second) / max(1, len(first) + len(second))


class Novelty:
    """Texts, and whether another is like one of them.

    Two texts have at most as many words in common in order as they have at all, which an index of the words tells for
    all texts at once; only those few that come near the threshold are compared.
    """

    def __init__(self, threshold: float, texts: Iterable[str] = ()) -> None:
        self.threshold = threshold
        self._texts: list[list[str]] = []
        self._lengths = array("q")
        self._with: dict[tuple[str, int], array[int]] = {}  # (word, n) -> the texts in which it stands n times or more
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """One more to be compared with."""
        found = words(text)
        for word, times in Counter(found).items():
            for n in range(times):
                self._with.setdefault((word, n), array("q")).append(len(self._texts))
        self._texts.append(found)
        self._lengths.append(len(found))

    def like(self, text: str) -> tuple[int, float] | None:
        """The number of the most similar text and how similar it is; None where all are below the threshold."""
        found = words(text)
        shared = np.zeros(len(self._texts), np.int32)
        for word, times in Counter(found).items():
            for n in range(times):
                if (word, n) in self._with:
                    shared[np.frombuffer(self._with[word, n], np.int64)] += 1
        bound = (
            2 * shared / np.maximum(1, np.frombuffer(self._lengths, np.int64) + len(found)) if shared.size else shared
        )
        near = [(rouge_l(found, self._texts[i]), -int(i)) for i in np.flatnonzero(bound >= self.threshold)]
        score, place = max(near, default=(0.0, 0))
        return (-place, score) if near and score >= self.threshold else None
