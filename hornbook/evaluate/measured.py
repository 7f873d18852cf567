"""What a text metric gives: numbers from which its score, the score's error and a comparison are made.

Three kinds, by how a corpus's score comes from its segments. A mean of segment scores (ROUGE, F1) is resampled as any
mean. BLEU and chrF add up counts and divide once: draws of segments are added up again, and two systems are compared on
the same draws (Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation"). Shares of what is
distinct cannot be resampled, for what is drawn twice is never distinct: there each segment is left out once (the
jackknife: Efron and Tibshirani 1993, chapter 11).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hornbook.evaluate import statistics
from hornbook.evaluate.interval import Z95
from hornbook.evaluate.statistics import Difference, Mean

DRAWS = 1000  # as sacrebleu takes
Numbers = NDArray[np.float64]
M = TypeVar("M", bound="Measured", contravariant=True)


class Measured(Protocol):
    """A metric of one system."""

    @property
    def signature(self) -> str:
        """How it was computed, so that somebody else comes to the same number."""
        ...

    @property
    def each(self) -> list[float] | None:
        """The score of every segment by itself, where there is such a thing."""
        ...

    def score(self) -> Mean:
        """The score with its error."""
        ...

    def compare(self: M, other: M) -> Difference:
        """The other's score less this one's, on the same segments."""
        ...


@dataclass(frozen=True)
class Averaged:
    """A score that is the mean of its segments' scores."""

    each: list[float]
    signature: str

    def score(self) -> Mean:
        return statistics.mean(self.each)

    def compare(self, other: "Averaged") -> Difference:
        return statistics.compare(self.each, other.each)


@dataclass(frozen=True)
class Pooled:
    """A score that a formula makes of counts added up over segments."""

    counts: Numbers
    """(segments, counts)."""
    formula: Callable[[Numbers], float]
    each: list[float]
    signature: str

    def score(self) -> Mean:
        draws = np.array([self.formula(total) for total in self._totals()])
        low, high = np.quantile(draws, (0.025, 0.975))
        value = self.formula(self.counts.sum(0))
        return Mean(value, float(draws.std(ddof=1)), (float(low), float(high)), len(self.counts))

    def compare(self, other: "Pooled") -> Difference:
        """Two-sided: twice the share of draws in which the other sign comes out."""
        ours, theirs = (np.array([one.formula(total) for total in one._totals()]) for one in (self, other))
        gaps = theirs - ours
        low, high = np.quantile(gaps, (0.025, 0.975))
        fewer = min(int((gaps <= 0).sum()), int((gaps >= 0).sum()))
        value = other.formula(other.counts.sum(0)) - self.formula(self.counts.sum(0))
        chance = min(1.0, 2 * (fewer + 1) / (DRAWS + 1))
        return Difference(value, (float(low), float(high)), chance, "paired bootstrap", len(self.counts))

    def _totals(self, seed: int = 0) -> Iterator[Numbers]:
        """The counts of resampled corpora; the same draws for every system of as many segments."""
        generator, size = np.random.default_rng(seed), len(self.counts)
        for _ in range(DRAWS):
            times = np.bincount(generator.integers(size, size=size), minlength=size)
            yield times @ self.counts


@dataclass(frozen=True)
class LeftOut:
    """A share, and what it is without each of the segments."""

    value: float
    without: Numbers
    signature: str
    each: None = None

    def score(self) -> Mean:
        error = _jackknife(self.without)
        half = Z95 * error
        return Mean(self.value, error, (max(0.0, self.value - half), min(1.0, self.value + half)), len(self.without))

    def compare(self, other: "LeftOut") -> Difference:
        value, error = other.value - self.value, _jackknife(other.without - self.without)
        half = Z95 * error
        chance = math.erfc(abs(value) / error / math.sqrt(2)) if error > 0 else float(value == 0)
        return Difference(value, (value - half, value + half), chance, "paired jackknife", len(self.without))


def _jackknife(without: Numbers) -> float:
    """The standard error of a number that was computed without each of n segments."""
    size = len(without)
    return math.sqrt((size - 1) / size * float(((without - without.mean()) ** 2).sum())) if size > 1 else math.nan
