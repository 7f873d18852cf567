"""How well classes are told: accuracy, F1 of each class and their plain mean, and which is taken for which.

Macro-F1 counts a rare class as much as a frequent one, so a model that always names the frequent one has little of it
(Opitz and Burst 2019, the mean of the F1 scores). Its error bar is the bootstrap over rows, that of accuracy Wilson's.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hornbook.evaluate.interval import wilson

DRAWS = 1000  # of the bootstrap


def told(truth: Sequence[int], found: Sequence[int], names: Sequence[str], *, seed: int = 0) -> dict[str, Any]:
    """The scores of a stage: `accuracy`, `macro_f1`, `classes` (precision, recall, F1 of each) and `confusion`.

    confusion: rows are the right classes, columns what was said.
    """
    right, said, count = np.asarray(truth), np.asarray(found), len(names)
    table = confusion(right, said, count)
    hits, rng = int(np.trace(table)), np.random.default_rng(seed)
    draws = (rng.integers(0, len(right), len(right)) for _ in range(DRAWS))
    spread = np.quantile([macro_f1(confusion(right[draw], said[draw], count)) for draw in draws], [0.025, 0.975])
    return {
        "accuracy": {"value": hits / len(right), "interval": list(wilson(hits, len(right))), "of": len(right)},
        "macro_f1": {"value": macro_f1(table), "interval": spread.tolist(), "of": len(right)},
        "classes": {name: _class(table, number) for number, name in enumerate(names)},
        "confusion": {"names": list(names), "rows": table.tolist()},
    }


def confusion(truth: NDArray[np.int64], found: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """(count, count): how often class i was taken for class j.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    return np.bincount(truth * count + found, minlength=count * count).reshape(count, count)


def macro_f1(table: NDArray[np.int64]) -> float:
    """The mean F1 of the classes that are there, or were said to be.

    >>> round(macro_f1(np.array([[8, 2], [1, 9]])), 4)
    0.8496
    """
    there = table.sum(0) + table.sum(1)
    f1 = 2 * np.diag(table)[there > 0] / there[there > 0]
    return float(f1.mean())


def _class(table: NDArray[np.int64], number: int) -> dict[str, Any]:
    """Of what was said to be the class, how much is; of what is, how much was found."""
    hits, said, there = int(table[number, number]), int(table[:, number].sum()), int(table[number].sum())
    return {
        "precision": hits / said if said else 0.0,
        "recall": hits / there if there else 0.0,
        "f1": 2 * hits / (said + there) if said + there else 0.0,
        "of": there,
    }
