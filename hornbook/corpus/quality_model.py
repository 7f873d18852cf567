"""A trained judge of quality: weights and how to read them, a folder of 1 MB.

`weights.npz` (no pickle in it) holds a number for every bucket of quality_features.py; `quality.json` the bias, the
calibration, and what was measured on texts that were not learned from.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, read_json, write_json
from hornbook.corpus.quality_features import BUCKETS, Floats, matrix
from hornbook.corpus.quality_fit import sigmoid

VERSION = 1


@dataclass(frozen=True)
class Measured:
    """What a judge is worth, by texts that it has not learned from."""

    good: int
    """Pieces of good text of all parts: learned from, calibrated by, measured on."""
    bad: int
    auc: float
    reliability: list[tuple[float, int, float, float]]
    """Where a tenth of the probabilities begins, texts, mean probability, share that is good."""


@dataclass(frozen=True)
class Judge:
    """Says how likely a text is of the good kind."""

    weights: NDArray[np.float32]
    bias: float
    scale: float
    shift: float
    measured: Measured

    def __call__(self, texts: Sequence[str]) -> Floats:
        """The probability of each text, 0 to 1."""
        logits = matrix(texts).times(self.weights.astype(np.float64)) + self.bias
        return sigmoid(self.scale * logits + self.shift)

    def save(self, folder: Path) -> None:
        """Write the folder, in place of one that is there."""
        with new_folder(folder) as aside:
            np.savez_compressed(aside / "weights.npz", weights=self.weights)
            numbers = {"bias": self.bias, "scale": self.scale, "shift": self.shift, "measured": asdict(self.measured)}
            write_json(aside / "quality.json", {"version": VERSION, **numbers})


def load(folder: Path) -> Judge:
    """The judge in a folder, read once a process while its files stay the same."""
    file = folder / "weights.npz"
    if not file.is_file():
        raise UserError(
            f"{folder}: no quality model; make one with `hornbook corpus train-quality GOOD BAD --out {folder}`"
        )
    return _load(folder, file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(folder: Path, _changed: int) -> Judge:
    about = read_json(folder / "quality.json")
    try:
        with np.load(folder / "weights.npz", allow_pickle=False) as file:
            weights = file["weights"]
        measured = Measured(
            **{**about["measured"], "reliability": [tuple(row) for row in about["measured"]["reliability"]]}
        )
        judge = Judge(weights, about["bias"], about["scale"], about["shift"], measured)
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile):
        judge = None
    if judge is None or about.get("version") != VERSION or judge.weights.shape != (BUCKETS,):
        raise UserError(f"{folder}: not a quality model of this version; train it again")
    return judge
