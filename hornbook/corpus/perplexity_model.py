"""A small n-gram language model: how surprising a text is to somebody who has read a reference corpus.

Interpolated Kneser-Ney with three discounts (Chen and Goodman 1998, "An Empirical Study of Smoothing Techniques",
section 3), of words in lower case without signs, all digits alike, as CCNet reads them (Wenzek et al. 2020); characters
where a script has no spaces. Words, because shuffled words must surprise, and because they need no tokenizer. A word
that the reference had less than twice is unknown and pays for its spelling: every character, and its end, as likely as
any. Without that, noise is one unknown word after another and hardly surprises. Left out: the ends of sentences.
"""

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, read_json, write_json
from hornbook.corpus import shingles
from hornbook.corpus.scans import Hashes

VERSION = 1
ORDER = 3  # words that are seen together; five (KenLM's usual) need a reference of billions
START, UNKNOWN = np.uint64(1), np.uint64(2)  # in place of a word's hash
BASE = np.uint64(0xC2B2AE3D27D4EB4F)
DIGITS = str.maketrans("0123456789", "0" * 10)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """The n-grams of one length: hashes in order, the logarithm of each one's probability after its first words, and of
    the weight that shorter n-grams have after it."""

    keys: Hashes
    logs: NDArray[np.float32]
    backs: NDArray[np.float32]

    def find(self, keys: Hashes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Where some n-grams are, and whether they are at all."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return places, self.keys[places] == keys


@dataclass(frozen=True)
class NGrams:
    """The model: a table for every length, the alphabet that spells unknown words, what the reference is like."""

    tables: tuple[Table, ...]
    letters: int
    """Different characters of the reference, and one for all others."""
    percentiles: tuple[float, ...]
    """Perplexities of held-out documents of the reference, 0 to 100 per cent."""

    def __call__(self, text: str) -> float:
        """Perplexity for every word; NaN where a text has none."""
        words, lengths = read(text)
        if not len(words):
            return float("nan")
        known = self.tables[0].find(grams(words, 1)[0])[1]
        words = np.where(known, words, UNKNOWN)
        spelled = (lengths + 1)[~known].sum() * np.log(self.letters + 1)
        return float(np.exp(min((spelled - self.logs(words).sum()) / len(words), 700.0)))

    def logs(self, words: Hashes) -> Floats:
        """The logarithm of every word's probability after those before it."""
        keys = grams(words, len(self.tables))
        places, _ = self.tables[0].find(keys[0])
        result: Floats = self.tables[0].logs[places].astype(np.float64)
        for order in range(1, len(self.tables)):
            places, found = self.tables[order - 1].find(grams_before(words, order))
            result = result + np.where(found, self.tables[order - 1].backs[places], 0)
            places, found = self.tables[order].find(keys[order])
            result = np.where(found, self.tables[order].logs[places], result)
        return result

    def save(self, folder: Path) -> None:
        """Write the folder, in place of one that is there."""
        arrays: dict[str, Any] = {
            f"{name}{order}": getattr(table, name)
            for order, table in enumerate(self.tables, 1)
            for name in ("keys", "logs", "backs")
        }
        about = {"version": VERSION, "orders": len(self.tables), "letters": self.letters}
        with new_folder(folder) as aside:
            np.savez_compressed(aside / "ngrams.npz", **arrays)
            write_json(aside / "perplexity.json", {**about, "percentiles": self.percentiles})


def grams(words: Hashes, orders: int) -> list[Hashes]:
    """For every length the n-gram that ends with each word; words before the first are START."""
    padded: Hashes = np.concatenate([np.full(orders - 1, START, np.uint64), words])
    found: list[Hashes] = []
    rolling: Hashes = np.zeros(len(words), np.uint64)
    for order in range(1, orders + 1):
        first = orders - order
        rolling = rolling + padded[first : first + len(words)] * np.uint64(pow(int(BASE), order, 2**64))
        found.append(shingles.mixed(rolling + np.uint64(order)))
    return found


def grams_before(words: Hashes, order: int) -> Hashes:
    """The `order` words before each word, as `grams` numbers them."""
    return np.concatenate([grams(np.full(1, START), order)[-1], grams(words, order)[-1][:-1]])


def read(text: str) -> tuple[Hashes, NDArray[np.int64]]:
    """The words of a text, and how many characters each has."""
    spans = shingles.spans(text.translate(DIGITS))
    return spans.hashes, spans.ends - spans.starts


def load(folder: Path) -> NGrams:
    """The model in a folder, read once a process while its files stay the same."""
    file = folder / "ngrams.npz"
    if not file.is_file():
        command = f"hornbook corpus train-perplexity REFERENCE --out {folder}"
        raise UserError(f"{folder}: no n-gram model; make one with `{command}`")
    return _load(folder, file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(folder: Path, _changed: int) -> NGrams:
    about = read_json(folder / "perplexity.json")
    try:
        if about["version"] != VERSION:
            raise ValueError
        with np.load(folder / "ngrams.npz", allow_pickle=False) as file:
            parts = [[file[f"{name}{n}"] for name in ("keys", "logs", "backs")] for n in range(1, about["orders"] + 1)]
        return NGrams(tuple(Table(*part) for part in parts), about["letters"], tuple(about["percentiles"]))
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile):
        raise UserError(f"{folder}: not an n-gram model of this version; train it again") from None
