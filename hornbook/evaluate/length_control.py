"""A win rate as it would be if both models wrote equally much: judges like long answers.

Dubois et al. 2024, "Length-Controlled AlpacaEval", equation 2: that the judge prefers the model's answer to a question
is a logistic regression on which model it is, how much longer its answer is, and how hard the question is; the win
rate with control is the mean of its predictions with the difference of lengths set to 0. Left out: AlpacaEval's
answers of models that were told to be brief or wordy, and its difficulties, fitted on a leaderboard; whoever has them
may give them. A ridge of 0.01 (scikit-learn's C of 100, AlpacaEval's default) keeps an all-won match finite.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RIDGE = 0.01
STEPS = 100  # of Newton's method, which needs about ten
ENOUGH = 1e-10  # a step this small changes nothing that is shown
DRAWS = 500  # of the bootstrap, each with a fit of its own


@dataclass(frozen=True)
class Controlled:
    """A win rate with control for length."""

    value: float
    interval: tuple[float, float]
    """95 %, from questions drawn again."""
    length: float
    """What a much longer answer adds to the log-odds of being preferred."""
    of: int

    def plain(self) -> dict[str, object]:
        """As JSON."""
        return {"value": self.value, "interval": list(self.interval), "length": self.length, "of": self.of}


def controlled(
    preferred: Sequence[float], longer: Sequence[float], difficulty: Sequence[float] | None = None, *, seed: int = 0
) -> Controlled:
    """The controlled win rate of a model.

    preferred: by question, 1 where its answer is preferred, 0 where the other's, or a probability; longer: how many
    characters its answer is longer; difficulty: of the questions, where known.
    """
    features = _features(np.asarray(longer, np.float64), difficulty)
    share = np.asarray(preferred, np.float64)
    weights = fit(features, share)
    generator = np.random.default_rng(seed)
    found = np.empty(DRAWS)
    for draw in range(DRAWS):
        some = generator.integers(len(share), size=len(share))
        found[draw] = _even(features[some], fit(features[some], share[some], start=weights))
    low, high = np.quantile(found, (0.025, 0.975))
    return Controlled(_even(features, weights), (float(low), float(high)), float(weights[1]), len(share))


def _features(longer: Array, difficulty: Sequence[float] | None) -> Array:
    """(questions, 2 or 3): the model itself, its length, the question's difficulty."""
    spread = longer.std(ddof=1) if len(longer) > 1 else 0.0
    columns = [np.ones(len(longer)), np.tanh(longer / spread) if spread else np.zeros(len(longer))]
    return np.stack([*columns, np.asarray(difficulty, np.float64)] if difficulty is not None else columns, axis=1)


def fit(features: Array, share: Array, *, start: Array | None = None) -> Array:
    """The weights that make the shares likeliest, less the ridge, by Newton's method."""
    weights = np.zeros(features.shape[1]) if start is None else start
    ridge = RIDGE * np.eye(len(weights))
    for _ in range(STEPS):
        chance = _logistic(features @ weights)
        slope = features.T @ (share - chance) - RIDGE * weights
        curve = (features * (chance * (1 - chance))[:, None]).T @ features + ridge
        step = np.linalg.solve(curve, slope)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))  # far out the curve is flat and a step too long
        weights = weights + step
        if float(np.abs(step).max()) < ENOUGH:
            break
    return weights


def _even(features: Array, weights: Array) -> float:
    """The mean prediction where both answers are equally long."""
    same = features.copy()
    same[:, 1] = 0.0
    return float(_logistic(same @ weights).mean())


def _logistic(odds: Array) -> Array:
    return np.exp(-np.logaddexp(0.0, -odds))
