"""Logistic regression, and what its scores are worth: calibration, area under the curve, reliability.

The weights minimise `|w|**2 / 2 + PENALTY * sum of log(1 + exp(-y z))`, a convex function, so there is one answer and
no seed: Newton's method, each step solved by conjugate gradients (Lin, Weng and Keerthi 2008, "Trust Region Newton
Method for Large-Scale Logistic Regression", with a line search in place of the trust region).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hornbook.corpus.quality_features import BUCKETS, Floats, Matrix

PENALTY = 10.0  # how much an error costs beside large weights; texts of length 1 want more than the usual 1
NEWTON_STEPS, GRADIENT_STEPS, HALVINGS = 50, 60, 30
PRECISE = 1e-6  # the gradient at the end, as a share of the one at the beginning

Flags = NDArray[np.bool_]


class Problem(NamedTuple):
    """Texts, and which of them are good."""

    texts: Matrix
    good: Flags

    def loss(self, weights: Floats) -> float:
        """What is minimised; the last weight is the bias, which costs nothing."""
        margins = np.where(self.good, 1.0, -1.0) * self.scores(weights)
        return float(weights[:-1] @ weights[:-1] / 2 + PENALTY * np.logaddexp(0, -margins).sum())

    def scores(self, weights: Floats) -> Floats:
        """The logit of every text."""
        scores: Floats = self.texts.times(weights[:-1]) + weights[-1]
        return scores

    def back(self, sides: Floats) -> Floats:
        """Numbers of the texts brought back to the weights: the transpose."""
        spread = np.bincount(self.texts.buckets, self.texts.values * sides[self.texts.rows], BUCKETS)
        return np.append(spread, sides.sum())


def fit(texts: Matrix, good: Flags) -> Floats:
    """The weight of every bucket, and the bias after them."""
    problem, weights = Problem(texts, good), np.zeros(BUCKETS + 1)
    first = None
    for _ in range(NEWTON_STEPS):
        likely = sigmoid(problem.scores(weights))
        gradient = PENALTY * problem.back(likely - good) + np.append(weights[:-1], 0)
        size = float(np.linalg.norm(gradient))
        first = size if first is None else first
        if size <= PRECISE * first:
            break
        step = _newton_step(problem, likely * (1 - likely), gradient)
        loss, length = problem.loss(weights), 1.0
        for _ in range(HALVINGS):
            if problem.loss(weights + length * step) <= loss + 1e-4 * length * float(gradient @ step):
                break
            length /= 2
        weights = weights + length * step
    return weights


def _newton_step(problem: Problem, curvature: Floats, gradient: Floats) -> Floats:
    """Conjugate gradients on the second derivative."""
    step, rest = np.zeros_like(gradient), -gradient
    direction, size = rest.copy(), float(gradient @ gradient)
    enough = size * min(0.1, size**0.25) ** 2
    for _ in range(GRADIENT_STEPS):
        image = PENALTY * problem.back(curvature * problem.scores(direction)) + np.append(direction[:-1], 0)
        length = size / float(direction @ image)
        step += length * direction
        rest -= length * image
        size, before = float(rest @ rest), size
        if size <= enough:
            break
        direction = rest + size / before * direction
    return step


def sigmoid(scores: Floats) -> Floats:
    """1 / (1 + exp(-score)), without overflow."""
    result: Floats = np.exp(-np.logaddexp(0, -scores))
    return result


def calibrate(scores: Floats, good: Flags) -> tuple[float, float]:
    """Scale and shift with which sigmoid(scale * score + shift) is a probability, by texts that were not learned from.

    Platt 1999, "Probabilistic Outputs for Support Vector Machines": his targets are a little within 0 and 1. Scores
    that put the bad first have learned nothing that holds: they count for nothing (scale 0).
    """
    counts = good.sum(), (~good).sum()
    targets = np.where(good, (counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2))
    sides, line = np.stack([scores, np.ones(len(scores))]), np.zeros(2)

    def loss(line: Floats) -> float:
        logits = line @ sides
        return float((np.logaddexp(0, logits) - targets * logits).sum())

    for _ in range(NEWTON_STEPS):
        likely = sigmoid(line @ sides)
        curvature = sides * (likely * (1 - likely)) @ sides.T + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, sides @ (targets - likely))
        while np.abs(step).max() > 1e-12 and loss(line + step) > loss(line):
            step = step / 2
        line = line + step
        if np.abs(step).max() <= 1e-9:
            break
    if line[0] <= 0:
        return 0.0, float(np.log((counts[0] + 1) / (counts[1] + 1)))
    return float(line[0]), float(line[1])


def auc(scores: Floats, good: Flags) -> float:
    """How often a good text has a higher score than a bad one; equal scores count half.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]
    goods, bads = int(good.sum()), int((~good).sum())
    return float((ranks[good].sum() - goods * (goods + 1) / 2) / (goods * bads))


def reliability(likely: Floats, good: Flags, bins: int = 10) -> list[tuple[float, int, float, float]]:
    """For every tenth of the probabilities that occurs: where it begins, texts, mean probability, share that is good.

    >>> reliability(np.array([0.05, 0.95, 0.99]), np.array([False, True, False]))
    [(0.0, 1, 0.05, 0.0), (0.9, 2, 0.97, 0.5)]
    """
    places = np.minimum((likely * bins).astype(int), bins - 1)
    return [
        (place / bins, int(here.sum()), float(likely[here].mean()), float(good[here].mean()))
        for place in range(bins)
        if (here := places == place).any()
    ]
