"""The best size for a budget, read off runs that all cost the same: a parabola a budget, a power law through them.

Hoffmann et al. 2022 (arXiv 2203.15556), section 3.2 ("approach 2"): for each number of operations C the loss is a
parabola in log N, whose lowest point is N_best(C); then N_best = k C^a and, as D = C / 6N, D_best = C^(1-a) / 6k. Their
published a is 0.49, interval (0.462, 0.534), and b 0.51 (0.483, 0.529). Intervals here are a bootstrap's: the runs of
each budget drawn again with replacement.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hornbook.plan.bfgs import Array
from hornbook.plan.fit import Trained, check, middle
from hornbook.plan.laws import FLOPS, Best

PUBLISHED = {"size": (0.49, (0.462, 0.534)), "tokens": (0.51, (0.483, 0.529))}  # Hoffmann et al. 2022, table 2
DRAWS = 500
LEAST_SIZES = 3  # a parabola has three numbers


@dataclass(frozen=True)
class Parabola:
    """The runs of one budget; loss = lowest + width (log N - log N_best)^2."""

    flops: float
    runs: tuple[Trained, ...]
    best: float  # parameters
    lowest: float  # nats per token
    width: float

    def loss(self, parameters: float) -> float:
        """The loss that the parabola says."""
        return float(self.lowest + self.width * np.log(parameters / self.best) ** 2)

    @property
    def inside(self) -> bool:
        """Whether the lowest point lies between runs; else it is a guess."""
        sizes = [run.parameters for run in self.runs]
        return min(sizes) <= self.best <= max(sizes)


@dataclass(frozen=True)
class IsoFlop:
    """N_best(C) = exp(intercept) C^exponent, and what it was read off."""

    curves: tuple[Parabola, ...]
    exponent: float
    intercept: float
    draws: tuple[float, ...]  # exponents

    @property
    def interval(self) -> tuple[float, float]:
        """Of the size's exponent, 95 %."""
        return middle(self.draws)

    @property
    def token_exponent(self) -> float:
        """Of D_best(C)."""
        return 1 - self.exponent

    @property
    def token_interval(self) -> tuple[float, float]:
        """Of the tokens' exponent, 95 %."""
        low, high = self.interval
        return 1 - high, 1 - low

    def best(self, flops: float) -> Best:
        """The size and tokens for a budget; the parabolas say nothing of the loss of another budget."""
        parameters = float(np.exp(self.intercept) * flops**self.exponent)
        return Best(parameters, flops / FLOPS / parameters, None)


def fit_isoflops(runs: Sequence[Trained], *, seed: int = 0, draws: int = DRAWS) -> IsoFlop:
    """From runs whose 6 N D are equal in groups of three sizes or more; two groups at least."""
    check(runs)
    groups = {flops: group for flops, group in by_budget(runs).items() if _sizes(group) >= LEAST_SIZES}
    if len(groups) < 2:
        raise ValueError(
            f"runs: {len(groups)} budgets with {LEAST_SIZES} sizes or more; a power law wants two, so train more sizes"
        )
    curves = tuple(parabola(flops, group) for flops, group in sorted(groups.items()))
    for curve in curves:
        if curve.width <= 0:
            raise ValueError(
                f"budget {curve.flops:.2g} FLOPs: the loss has no lowest point in size; add larger or smaller models"
            )
    exponent, intercept = _line(curves)
    random = np.random.default_rng(seed)
    redrawn = (tuple(_redraw(curve, random) for curve in curves) for _ in range(draws))
    return IsoFlop(curves, exponent, intercept, tuple(_line(each)[0] for each in redrawn))


def by_budget(runs: Sequence[Trained], digits: int = 2) -> Mapping[float, list[Trained]]:
    """Runs grouped by 6 N D, rounded to so many digits: sizes never come out quite even."""
    groups: dict[float, list[Trained]] = defaultdict(list)
    for run in runs:
        groups[float(f"{FLOPS * run.parameters * run.tokens:.{digits - 1}e}")].append(run)
    return groups


def parabola(flops: float, runs: Sequence[Trained]) -> Parabola:
    """Least squares in log N, counted from the mean."""
    sizes, losses = _columns(runs)
    middle_size = sizes.mean()
    width, slope, height = np.polyfit(sizes - middle_size, losses, 2)
    lowest = -slope / (2 * width)
    best = float(np.exp(middle_size + lowest))
    return Parabola(flops, tuple(runs), best, float(height - slope**2 / (4 * width)), float(width))


def _redraw(curve: Parabola, random: np.random.Generator) -> Parabola:
    """A parabola of the same runs, drawn again until three sizes are there and it has a lowest point between them."""
    while True:
        chosen = [curve.runs[i] for i in random.integers(len(curve.runs), size=len(curve.runs))]
        if _sizes(chosen) >= LEAST_SIZES and (drawn := parabola(curve.flops, chosen)).width > 0:
            return drawn


def _line(curves: Sequence[Parabola]) -> tuple[float, float]:
    """Exponent and intercept of log N_best over log C."""
    flops, best = (np.log([getattr(curve, name) for curve in curves]) for name in ("flops", "best"))
    exponent, intercept = np.polyfit(flops, best, 1)
    return float(exponent), float(intercept)


def _columns(runs: Sequence[Trained]) -> tuple[Array, Array]:
    return np.log([run.parameters for run in runs]), np.array([run.loss for run in runs])


def _sizes(runs: Sequence[Trained]) -> int:
    return len({run.parameters for run in runs})
