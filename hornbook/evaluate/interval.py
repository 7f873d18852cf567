"""Error bars: Wilson's interval for a share, the bootstrap for anything that is a ratio of sums.

Wilson 1927 (it never leaves [0, 1] and is right for few trials); Efron 1979, percentile form.
"""

import math
from collections.abc import Sequence

import numpy as np

Z95 = 1.959964  # the normal distribution's 97.5 % point


def wilson(hits: float, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share; a tie may be half a hit, which makes it a little too wide.

    >>> tuple(round(x, 3) for x in wilson(8, 10))
    (0.49, 0.943)
    """
    if trials == 0:
        return 0.0, 1.0
    share, z2 = hits / trials, Z95**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z95 * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_ratio(
    numerators: Sequence[float], denominators: Sequence[float], *, seed: int = 0, draws: int = 1000
) -> tuple[float, float]:
    """The 95 % interval of sum(numerators) / sum(denominators) over items drawn with replacement."""
    over, under = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    picks = np.random.default_rng(seed).integers(0, len(over), size=(draws, len(over)))
    ratios = over[picks].sum(1) / under[picks].sum(1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)
