"""How sure a score is, and whether two scores differ: standard errors, bootstrap intervals, paired tests.

Scores of the same questions are compared pair by pair, which sees differences that two separate intervals hide
(McNemar 1947 for right and wrong; Efron and Tibshirani 1993, chapter 16, for other numbers). Every draw is seeded.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hornbook.evaluate.interval import wilson

DRAWS = 2000  # of a bootstrap: the ends of a 95 % interval are then known to about 1 % of its width
LEVEL = 0.05  # below this chance of such a difference, or a larger one, among equals we speak of a difference


@dataclass(frozen=True)
class Mean:
    """The mean of some questions' numbers."""

    value: float
    standard_error: float
    interval: tuple[float, float]
    """95 %: Wilson's where every number is 0 or 1, else from bootstrap draws."""
    of: int

    def plain(self) -> dict[str, object]:
        """As JSON."""
        low, high = self.interval
        return {"value": self.value, "standard_error": self.standard_error, "interval": [low, high], "of": self.of}


def mean(numbers: Sequence[float], *, seed: int = 0) -> Mean:
    """The mean with its error.

    >>> mean([1.0, 0.0, 1.0, 1.0]).value
    0.75
    """
    array = np.asarray(numbers, dtype=np.float64)
    if not len(array):
        return Mean(math.nan, math.nan, (math.nan, math.nan), 0)
    value = float(array.mean())
    error = float(array.std(ddof=1) / math.sqrt(len(array))) if len(array) > 1 else math.nan
    if bool(np.isin(array, (0.0, 1.0)).all()):
        return Mean(value, error, wilson(int(array.sum()), len(array)), len(array))
    return Mean(value, error, bootstrap(array, seed=seed), len(array))


def bootstrap(numbers: NDArray[np.float64], *, seed: int = 0, draws: int = DRAWS) -> tuple[float, float]:
    """Where 95 % of the means of resampled questions lie."""
    found = _resampled(numbers, seed, draws)
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def _resampled(numbers: NDArray[np.float64], seed: int, draws: int) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    means = np.empty(draws)
    for draw in range(draws):  # one at a time: 14,000 questions x 2,000 draws would be 200 MB
        means[draw] = numbers[generator.integers(len(numbers), size=len(numbers))].mean()
    return means


@dataclass(frozen=True)
class Difference:
    """The second of two models' scores less the first, on the same questions."""

    value: float
    interval: tuple[float, float]
    chance: float
    """Of such a difference or a larger one if the two were equally good (two-sided p)."""
    test: str
    of: int

    @property
    def is_one(self) -> bool:
        """Whether the two differ at the 5 % level."""
        return self.chance < LEVEL

    def sentence(self, first: str, second: str) -> str:
        """What the comparison says, in words.

        >>> Difference(0.05, (0.01, 0.09), 0.012, "McNemar", 400).sentence("a", "b")
        'b is better than a by 0.050 (0.010 to 0.090; p 0.012, McNemar, 400 questions)'
        """
        low, high = self.interval
        told = f"({low:.3f} to {high:.3f}; p {self.chance:.2g}, {self.test}, {self.of:,} questions)"
        if not self.is_one:
            return f"no difference between {first} and {second} can be told: {self.value:+.3f} {told}"
        better, worse = (second, first) if self.value > 0 else (first, second)
        return f"{better} is better than {worse} by {abs(self.value):.3f} {told}"


def compare(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> Difference:
    """Whether two models differ: McNemar's exact test where all numbers are 0 or 1, else a paired bootstrap."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} scores: a comparison wants the same questions in the same order")
    gaps = b - a
    interval = bootstrap(gaps, seed=seed) if len(gaps) else (math.nan, math.nan)
    value = float(gaps.mean()) if len(gaps) else math.nan
    if bool(np.isin(np.concatenate([a, b]), (0.0, 1.0)).all()):
        return Difference(value, interval, mcnemar(int((gaps > 0).sum()), int((gaps < 0).sum())), "McNemar", len(a))
    centred = _resampled(gaps - gaps.mean(), seed, DRAWS)
    chance = (1 + float((np.abs(centred) >= abs(value)).sum())) / (DRAWS + 1)
    return Difference(value, interval, chance, "paired bootstrap", len(a))


def mcnemar(gained: int, lost: int) -> float:
    """The exact chance that as many questions, or more, change to one side by luck.

    gained: wrong with the first model, right with the second; lost: the other way round.

    >>> mcnemar(5, 0)
    0.0625
    """
    changed = gained + lost
    if not changed:
        return 1.0
    tail = sum(math.comb(changed, k) for k in range(min(gained, lost) + 1)) / 2**changed
    return float(min(1.0, 2 * tail))
