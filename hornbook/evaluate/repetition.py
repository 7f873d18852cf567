"""How much a text says again: the sign of a model that goes round in circles.

Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training", section 6: seq-rep-n, the share of a text's
n-grams that came before in it. Besides, words in the longest stretch that repeats one phrase at once ("no no no"), and
the share of its lines that came before. The means of segments; a text too short for an n-gram repeats nothing. What the
paper measures of a model's predictions (rep/l) needs the model and is left out.
"""

from collections.abc import Sequence

import numpy as np

from hornbook.corpus.words import words
from hornbook.evaluate.diversity import ngrams
from hornbook.evaluate.measured import Averaged
from hornbook.evaluate.segments import Segments

LENGTHS = (2, 3, 4)
LONGEST_PHRASE = 64  # words of what may come again and again


def repetition(segments: Segments) -> dict[str, Averaged]:
    """rep2 to rep4 and `lines`, shares; `run`, in words."""
    cut = [words(text) for text in segments.written]
    found = {f"rep{n}": [repeated(ngrams(each, n)) for each in cut] for n in LENGTHS}
    found["run"] = [float(longest_run(each)) for each in cut]
    found["lines"] = [repeated(_lines(text)) for text in segments.written]
    return {name: Averaged(each, "seq-rep|tok:words" if name != "lines" else "lines") for name, each in found.items()}


def repeated(things: Sequence[object]) -> float:
    """The share of things that came before.

    >>> repeated("abcab")
    0.4
    """
    return 1 - len(set(things)) / len(things) if things else 0.0


def longest_run(tokens: Sequence[str]) -> int:
    """Tokens of the longest stretch in which a phrase is said twice in a row or more; 0 where none is.

    >>> longest_run("to be or not to be".split()), longest_run("he said no no no no to it it".split())
    (0, 4)
    >>> longest_run("and so on and so on and so".split())
    8
    """
    numbers = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    ids = np.array([numbers[token] for token in tokens], dtype=np.int64)
    best = 0
    for period in range(1, min(LONGEST_PHRASE, len(ids) // 2) + 1):
        apart = np.flatnonzero(np.concatenate([[True], ids[period:] != ids[:-period], [True]]))
        same = int(np.diff(apart).max()) - 1  # tokens in a row that stood `period` before
        if same >= period:
            best = max(best, same + period)
    return best


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
