"""A law of one's own runs: E, A, B, alpha and beta from (parameters, tokens, loss), each with its interval.

Hoffmann et al. 2022 (arXiv 2203.15556), section 3.3 and appendix D.2: the smallest sum of Huber losses (delta 1e-3)
between log L and logsumexp(a - alpha log N, b - beta log D, e), from a grid of starts. Intervals are those of the
bootstrap: the runs are drawn again with replacement and the law fitted to each draw (Besiroglu et al. 2024 found the
paper's own intervals too narrow by far, because its fit had stopped early; so ours goes on until no step helps).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hornbook.plan.bfgs import Array, minimise
from hornbook.plan.laws import Law

DELTA = 1e-3  # Huber: residuals of log L above it count by their size, not its square (appendix D.2)
GRID = {  # of the starts: appendix D.2
    "a": np.arange(0, 26, 5.0),
    "b": np.arange(0, 26, 5.0),
    "e": np.arange(-1, 1.1, 0.5),
    "alpha": np.arange(0, 2.1, 0.5),
    "beta": np.arange(0, 2.1, 0.5),
}
FOLLOWED = 150  # of the 4,500 starts: the best ones; the others lie orders of magnitude above them
DRAWS = 200  # of the bootstrap
LEAST_RUNS = 5  # as many as the law has numbers
NAMES = ("E", "A", "B", "alpha", "beta", "size_exponent")


@dataclass(frozen=True)
class Trained:
    """A run that is done."""

    parameters: float
    tokens: float
    loss: float  # nats per token of held-out text


@dataclass(frozen=True)
class Fit:
    """A law, the runs it was fitted to, and the laws of the draws."""

    law: Law
    runs: tuple[Trained, ...]
    draws: tuple[Law, ...]

    def interval(self, name: str, share: float = 0.95) -> tuple[float, float]:
        """Of a number of the law (`NAMES`)."""
        return middle([getattr(law, name) for law in self.draws], share)

    def predict(self, parameters: float, tokens: float) -> tuple[float, tuple[float, float]]:
        """The loss of another run, and its 95 % interval."""
        losses = [law.loss(parameters, tokens) for law in self.draws]
        return self.law.loss(parameters, tokens), middle(losses)

    def worst(self) -> float:
        """The largest error at the runs it was fitted to, as a share of their loss."""
        return max(abs(self.law.loss(run.parameters, run.tokens) / run.loss - 1) for run in self.runs)


def fit(runs: Sequence[Trained], *, seed: int = 0, draws: int = DRAWS) -> Fit:
    """The law of some runs; they must differ in both size and tokens, else nothing tells A from B."""
    check(runs)
    data = np.array([(run.parameters, run.tokens, run.loss) for run in runs])
    points = _Points(np.log(data))
    starts = points.inside(np.array(list(itertools.product(*GRID.values()))))
    everything = np.ones((len(starts), len(runs)))
    best = np.argsort(points.huber(starts, everything)[0])[:FOLLOWED]
    ends, values = minimise(lambda x: points.huber(x, everything[: len(x)]), starts[best])
    found = ends[values.argmin()]
    even = np.full(len(runs), 1 / len(runs))
    counts = np.random.default_rng(seed).multinomial(len(runs), even, draws).astype(float)
    drawn = minimise(lambda x: points.huber(x, counts), np.tile(found, (draws, 1)))[0] if draws else np.empty((0, 5))
    law = points.law(found)
    _falls(law)
    laws = [each for each in map(points.law, drawn) if min(each.alpha, each.beta) > 0]
    return Fit(law, tuple(runs), tuple(laws))


def _falls(law: Law) -> None:
    """Refuse a law by which more is worse: there is nothing to extrapolate."""
    for name, what in (("alpha", "parameters"), ("beta", "tokens")):
        if getattr(law, name) <= 0:
            raise ValueError(
                f"runs: by their fit more {what} do not lower the loss ({name} = {getattr(law, name):.3g}), so there "
                f"is no law to extrapolate; train longer, on more text, or with {what} further apart"
            )


def check(runs: Sequence[Trained]) -> None:
    """Refuse runs that no law can be fitted to."""
    for place, run in enumerate(runs, 1):
        for name in ("parameters", "tokens", "loss"):
            value = getattr(run, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"run {place}: {name} is {value}; give a number above 0, or leave the run out")
    if len(runs) < LEAST_RUNS:
        raise ValueError(f"runs: {len(runs)} are too few for the five numbers of a law; train {LEAST_RUNS} or more")
    for name in ("parameters", "tokens"):
        if len({getattr(run, name) for run in runs}) < 2:
            raise ValueError(f"runs: all have the same {name}; train some with more and some with fewer")


def middle(values: Sequence[float], share: float = 0.95) -> tuple[float, float]:
    """The interval that holds the middle `share` of some values.

    >>> [round(edge, 6) for edge in middle(list(range(101)), 0.9)]
    [5.0, 95.0]
    """
    low, high = np.quantile(np.asarray(values), ((1 - share) / 2, (1 + share) / 2))
    return float(low), float(high)


class _Points:
    """The objective, with log N and log D counted from their means: then a and alpha hardly hang together."""

    def __init__(self, logs: Array) -> None:
        self.means = logs[:, :2].mean(axis=0)
        self.sizes, self.tokens = (logs[:, :2] - self.means).T
        self.losses = logs[:, 2]

    def inside(self, plain: Array) -> Array:
        """From (a, b, e, alpha, beta) of the paper to those around the means."""
        moved = plain.copy()
        moved[:, :2] -= plain[:, 3:] * self.means
        return moved

    def law(self, numbers: Array) -> Law:
        """The law that such numbers stand for."""
        alpha, beta = (float(value) for value in numbers[3:])
        a, b = (float(value) for value in numbers[:2] + numbers[3:] * self.means)
        with np.errstate(over="ignore"):
            return Law(E=float(np.exp(numbers[2])), A=float(np.exp(a)), B=float(np.exp(b)), alpha=alpha, beta=beta)

    def huber(self, numbers: Array, weights: Array) -> tuple[Array, Array]:
        """Values (starts,) and gradients (starts, 5); `weights` (starts, runs): how often each run counts."""
        a, b, e, alpha, beta = numbers.T[:, :, None]
        ones = np.ones_like(self.sizes)
        terms = np.stack([a - alpha * self.sizes, b - beta * self.tokens, e * ones])  # (3, starts, runs)
        top = terms.max(axis=0)
        parts = np.exp(terms - top)
        total = parts.sum(axis=0)
        parts /= total  # the gradient of logsumexp
        error = top + np.log(total) - self.losses
        size = np.abs(error)
        each = np.where(size <= DELTA, error**2 / 2, DELTA * (size - DELTA / 2))
        slope = weights * np.clip(error, -DELTA, DELTA)
        by = [slope * parts[0], slope * parts[1], slope * parts[2]]
        columns = [*by, -by[0] * self.sizes, -by[1] * self.tokens]
        scale = 1 / DELTA  # values of order one: the steps' tolerance is relative then
        return scale * (weights * each).sum(axis=1), scale * np.stack([c.sum(axis=1) for c in columns], axis=1)
