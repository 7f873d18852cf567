"""Whether raters agree: kappas for names (a, b, tie), alpha where some are missing, rank correlations for scores.

Cohen 1960 for two raters, Fleiss 1971 for many, Krippendorff 2011 (Computing Krippendorff's Alpha-Reliability) for any
number with gaps; Spearman 1904, and Kendall 1945 (tau-b, which forgives ties). Each is 1 where all agree, and of the
kappas and alpha 0 is what luck would bring. NaN: it cannot be said, as where everybody always says the same.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Difference = Callable[[Any, Any], float]


def cohen(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """Kappa of two raters of the same things.

    >>> round(cohen(["a", "a", "b", "tie"], ["a", "b", "b", "tie"]), 3)
    0.636
    """
    if len(one) != len(other):
        raise ValueError(f"{len(one)} and {len(other)} ratings: two raters are compared on the same things")
    if not one:
        return math.nan
    first, second = Counter(one), Counter(other)
    seen = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    luck = sum(first[name] * second[name] for name in first) / len(one) ** 2
    return _above_luck(seen, luck)


def weighted(one: Sequence[float], other: Sequence[float]) -> float:
    """Kappa of two raters who give numbers: a difference counts by its square (Cohen 1968).

    >>> round(weighted([1, 2, 3, 4], [2, 2, 3, 5]), 3)
    0.833
    """
    if len(one) != len(other):
        raise ValueError(f"{len(one)} and {len(other)} ratings: two raters are compared on the same things")
    if not len(one):
        return math.nan
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    luck = float((a**2).mean() + (b**2).mean() - 2 * a.mean() * b.mean())  # of any of one's with any of the other's
    return 1 - float(((a - b) ** 2).mean()) / luck if luck else math.nan


def fleiss(things: Sequence[Sequence[Hashable]]) -> float:
    """Kappa of what several raters said of each thing; of each thing as many, not always the same people.

    >>> round(fleiss([["a", "a", "a"], ["a", "b", "b"], ["b", "b", "b"]]), 3)
    0.55
    """
    if len({len(said) for said in things}) > 1:
        raise ValueError("some things have more ratings than others: take Krippendorff's alpha")
    if not things or len(things[0]) < 2:
        return math.nan
    raters = len(things[0])
    counts = [Counter(said) for said in things]
    seen = [sum(n * (n - 1) for n in each.values()) / (raters * (raters - 1)) for each in counts]
    total = sum(counts, Counter[Hashable]())
    luck = sum((n / (raters * len(things))) ** 2 for n in total.values())
    return _above_luck(sum(seen) / len(seen), luck)


def _above_luck(seen: float, luck: float) -> float:
    return math.nan if luck == 1 else (seen - luck) / (1 - luck)


def unlike(one: Any, other: Any) -> float:
    """The difference of names: there is one or there is none."""
    return float(one != other)


def squared(one: Any, other: Any) -> float:
    """The difference of numbers."""
    return float((one - other) ** 2)


def krippendorff(things: Sequence[Sequence[Hashable]], difference: Difference = unlike) -> float:
    """Alpha of what was said of each thing, by as many raters as there were; `difference` is 0 for what is alike.

    >>> round(krippendorff([["a", "a"], ["a", "b"], ["b", "b", "b"], ["a"]]), 3)
    0.5
    """
    rated = [Counter(said) for said in things if len(said) > 1]  # who is alone agrees with nobody
    total = sum(rated, Counter[Hashable]())
    of = total.total()
    seen = sum(_apart(said, difference) / (said.total() - 1) for said in rated)
    luck = _apart(total, difference) / (of - 1) if of > 1 else 0.0
    return 1 - seen / luck if luck else math.nan


def _apart(said: Counter[Hashable], difference: Difference) -> float:
    """The differences of all ordered pairs."""
    return sum(n * m * difference(one, other) for one, n in said.items() for other, m in said.items())


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """The correlation of ranks; what is alike shares a rank.

    >>> round(spearman([1, 2, 3, 4], [10, 30, 20, 40]), 3)
    0.8
    """
    first, second = _ranks(one), _ranks(other)
    first, second = first - first.mean(), second - second.mean()
    spread = math.sqrt(float((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / spread if spread else math.nan


def kendall(one: Sequence[float], other: Sequence[float]) -> float:
    """Tau-b: pairs in the same order less pairs in the other, of those that are no ties.

    >>> round(kendall([1, 2, 3, 4], [10, 30, 20, 40]), 3)
    0.667
    """
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    same, first, second = 0.0, 0.0, 0.0
    for place in range(len(a) - 1):  # a row at a time: the whole table of pairs would be large
        x, y = np.sign(a[place + 1 :] - a[place]), np.sign(b[place + 1 :] - b[place])
        same, first, second = same + float((x * y).sum()), first + float((x**2).sum()), second + float((y**2).sum())
    return same / math.sqrt(first * second) if first and second else math.nan


def _ranks(numbers: Sequence[float]) -> NDArray[np.float64]:
    """From 1; those that are alike have the mean of their places."""
    array = np.asarray(numbers, dtype=np.float64)
    _, place, count = np.unique(array, return_inverse=True, return_counts=True)
    last = count.cumsum().astype(np.float64)
    ranks: NDArray[np.float64] = (last - (count - 1) / 2)[place]
    return ranks
