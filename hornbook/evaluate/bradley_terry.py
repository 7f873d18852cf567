"""How strong each of several models is, from who beat whom: Bradley and Terry 1952, fitted by Hunter's MM 2004.

The chance that i beats j is strength_i / (strength_i + strength_j). A tie counts as half a win for each, which Davidson
1970 models with a parameter of its own; that one is left out. With the prior every pair of models is taken to have
drawn one game more than was played, so one that won everything has a large strength and not an infinite one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRIOR = 0.5  # wins of each model over each other one that are added: one tie a pair
ROUNDS = 100_000
CLOSE = 1e-10  # nats by which a round may still move a strength
DRAWS = 1000  # of the bootstrap

Array = NDArray[np.float64]


def fit(wins: Array, *, prior: float = PRIOR) -> Array:
    """Log strengths in nats, their mean 0; wins (..., models, models) says in [i, j] how often i beat j.

    Equations 3 and 4 of Hunter 2004: strength_i = wins_i / sum over j of games_ij / (strength_i + strength_j), again
    and again. Raises ValueError where there are no finite ones: without a prior, a model that never won or never lost.

    >>> fit(np.array([[0.0, 3.0], [1.0, 0.0]]), prior=0).round(4).tolist()  # 3 : 1, so log 3 apart
    [0.5493, -0.5493]
    """
    wins = wins + prior * (1 - np.eye(wins.shape[-1]))
    games, won = wins + wins.swapaxes(-1, -2), wins.sum(-1)
    if not (won > 0).all() or not (wins.sum(-2) > 0).all():
        raise ValueError("a model never won or never lost: its strength has no bound; give a prior above 0")
    logs = np.zeros_like(won)
    for _ in range(ROUNDS):
        strength = np.exp(logs)
        expected = games / (strength[..., :, None] + strength[..., None, :])
        new = np.log(won / expected.sum(-1))
        new -= new.mean(-1, keepdims=True)
        if np.abs(new - logs).max() < CLOSE:
            return np.asarray(new)
        logs = new
    raise ValueError("some models never met, not even by way of others: there is no telling; give a prior above 0")


@dataclass(frozen=True)
class Strength:
    """Of one model."""

    value: float
    """Log strength in nats above the mean of the models; 0.69 more is twice as many wins as losses."""
    interval: tuple[float, float]
    """95 %, from bootstrap draws of prompts."""
    chance: float
    """To beat one of the others, drawn at random."""

    @property
    def elo(self) -> float:
        """The same on the scale of chess players' ratings, the mean at 1000.

        >>> round(Strength(math.log(10) / 2, (0, 0), 0).elo)
        1200
        """
        return 1000 + 400 * self.value / math.log(10)


def strengths(by_prompt: Array, *, prior: float = PRIOR, seed: int = 0, draws: int = DRAWS) -> Sequence[Strength]:
    """The strength of each model from wins (prompts, models, models); prompts are drawn anew for the intervals."""
    prompts, models = len(by_prompt), by_prompt.shape[-1]
    found = fit(by_prompt.sum(0), prior=prior)
    times = np.random.default_rng(seed).multinomial(prompts, [1 / prompts] * prompts, size=draws)
    drawn = fit((times @ by_prompt.reshape(prompts, -1)).reshape(draws, models, models), prior=prior)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    beats = 1 / (1 + np.exp(found[None, :] - found[:, None]))
    chances = (beats.sum(1) - 0.5) / (models - 1)  # without itself, which it beats in half of the games
    return [Strength(float(found[i]), (float(low[i]), float(high[i])), float(chances[i])) for i in range(models)]
