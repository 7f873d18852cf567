"""Many small minimisations at once: BFGS with a backtracking line search, every start a row of one array.

Nocedal & Wright 2006, algorithm 6.1 and section 3.1. A law has five numbers, so the whole inverse Hessian is kept and
there is no memory to limit: what L-BFGS does for millions, exactly. Thousands of starts and resamples cost what a few
dozen calls would, because each step asks for all values and gradients together.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Objective = Callable[[Array], tuple[Array, Array]]  # (starts, numbers) -> values (starts,), gradients (starts, numbers)

ENOUGH = 1e-4  # of the decrease that the slope promises (Nocedal & Wright, section 3.1)
HALVINGS = 30  # of a step before its start is at rest


def minimise(objective: Objective, starts: Array, *, steps: int = 400) -> tuple[Array, Array]:
    """The points (starts, numbers) where each start came to rest, and their values (starts,)."""
    points = starts.copy()
    values, slopes = objective(points)
    eye = np.broadcast_to(np.eye(points.shape[1]), (*points.shape, points.shape[1]))
    inverse = (
        eye / np.maximum(1.0, np.linalg.norm(slopes, axis=1))[:, None, None]
    )  # the first step has length 1 at most
    for _ in range(steps):
        direction = -np.einsum("sij,sj->si", inverse, slopes)
        uphill = np.einsum("si,si->s", direction, slopes) >= 0
        direction[uphill] = -slopes[uphill]
        moved, new_values, new_slopes = _search(objective, points, direction, (values, slopes))
        if np.array_equal(moved, points):
            break
        inverse = _update(inverse, moved - points, new_slopes - slopes)
        inverse[uphill] = eye[uphill]
        points, values, slopes = moved, new_values, new_slopes
    return points, values


def _search(
    objective: Objective, points: Array, direction: Array, here: tuple[Array, Array]
) -> tuple[Array, Array, Array]:
    """Each start's first step of lengths 1, 1/2, 1/4, ... that goes down enough; it stays where none does."""
    values, slopes = here
    promised = np.einsum("si,si->s", direction, slopes)
    length, waiting = np.ones(len(points)), np.arange(len(points))
    found, best, grown = points.copy(), values.copy(), slopes.copy()
    for _ in range(HALVINGS):
        tried = points + length[:, None] * direction
        new, turned = objective(tried)
        good = np.isfinite(new) & (new < values + ENOUGH * length * promised)
        good &= np.isin(np.arange(len(points)), waiting)
        found[good], best[good], grown[good] = tried[good], new[good], turned[good]
        waiting = waiting[~good[waiting]]
        if not len(waiting):
            break
        length[waiting] /= 2
    return found, best, grown


def _update(inverse: Array, step: Array, change: Array) -> Array:
    """H <- (I - r s y') H (I - r y s') + r s s' where y's > 0 (equation 6.17); H elsewhere."""
    curvature = np.einsum("si,si->s", step, change)
    good = curvature > 1e-12 * np.linalg.norm(step, axis=1) * np.linalg.norm(change, axis=1)
    good &= curvature > 0
    r = np.where(good, 1 / np.where(good, curvature, 1), 0)[:, None, None]
    left = np.eye(step.shape[1]) - r * step[:, :, None] * change[:, None, :]
    return left @ inverse @ left.transpose(0, 2, 1) + r * step[:, :, None] * step[:, None, :]
