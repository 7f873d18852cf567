"""Texts with labels to batches: a row is a text, cut to its room, and the number of its class.

A batch is padded on the right to its longest row and says so, which changes no answer. Where classes are uneven, rows
of the frequent ones may be left out or those of the rare ones repeated (random under- and over-sampling, as
imbalanced-learn has them), or rare ones may weigh more. Which rows that hits is decided by a hash of their texts, so it
depends on no seed and no order of the file.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from hornbook.core.errors import UserError
from hornbook.core.source import closest
from hornbook.data.batches import Batch, row_indices
from hornbook.data.labels import Labels
from hornbook.data.passages import passages
from hornbook.data.rows import Row
from hornbook.data.split import Files, Parts
from hornbook.data.texts import padded, whole
from hornbook.text.tokenizer import Tokenizer

Sourced = tuple[str, str, str]
"""The name of a document, its text, and its source."""
Balance = Literal["everywhere", "down", "up"]


@dataclass(frozen=True, kw_only=True)
class Uneven:
    """Which classes there are, and what is done where they are uneven."""

    names: list[str] | None = None
    """The classes in order; None: as they are found, sorted."""
    balance: Balance | None = None
    """`down`: as many rows of each class as the rarest has, in training; `up`: as many as the most frequent has, rows
    repeated; `everywhere`: as down, but before the split, so that validation and test are balanced too."""
    weights: Literal["balanced"] | dict[str, float] | None = None
    """How much a row of a class counts: of `balanced` classes each counts the same in all; None: each row does."""

    def balanced(self, parts: Parts) -> list[Row]:
        """The rows for training, evened out."""
        return sample(parts.train, self.balance) if self.balance in ("down", "up") else parts.train

    def class_weights(self, train: Sequence[Row], names: Sequence[str]) -> tuple[float, ...] | None:
        """What a row of each class counts."""
        if self.weights is None:
            return None
        counts = Counter(row["label"] for row in train)
        if self.weights == "balanced":
            return tuple(len(train) / (len(names) * counts[name]) for name in names)
        for name, weight in self.weights.items():
            if name not in names:
                raise UserError(f"weights: {name!r} is no label{closest(name, names)}; there are {', '.join(names)}")
            if not weight > 0:
                raise UserError(f"weights: {weight} for {name!r} teaches nothing of it; give a number above 0")
        return tuple(self.weights.get(name, 1.0) for name in names)


@dataclass(frozen=True, kw_only=True)
class Labelled(Uneven, Labels):
    """Labelled texts in the files of a recipe."""

    USUAL: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.balance == "everywhere" and isinstance(self.split, Files):
            raise ValueError("balance: everywhere is done before rows are split, these come in files; take down or up")

    def chosen(self, given: list[Row]) -> list[Row]:
        """All rows, or as many of each class as the rarest has."""
        return sample(given, "down") if self.balance == "everywhere" else given


@dataclass(frozen=True, kw_only=True)
class BySource(Uneven):
    """The documents of the run, cut into passages; what is to be told is the source they are from."""

    words: int = 40  # of a passage, as in passages.py
    most: int = 100_000  # passages of a source

    def __post_init__(self) -> None:
        if self.balance == "everywhere":
            raise ValueError("balance: everywhere is done before rows are split, and documents are; take down or up")
        if self.words < 1 or self.most < 1:
            raise ValueError(f"words {self.words} and most {self.most} leave no passage; give 40 and 100000")

    def parts(self, train: Iterable[Sourced], held_out: Iterable[Sourced]) -> Parts:
        """The passages of training documents, and of those held out."""
        return Parts(self._rows(train), self._rows(held_out), [])

    def _rows(self, documents: Iterable[Sourced]) -> list[Row]:
        found, count = [], Counter[str]()
        for name, text, source in documents:
            for number, passage in enumerate(passages(text, self.words)):
                count[source] += 1
                if count[source] <= self.most:
                    found.append({"text": passage, "label": source, "id": f"{name}#{number}"})
        return found


def sample(rows: Sequence[Row], way: Balance | None) -> list[Row]:
    """As many rows of each class as the rarest has (`down`), or as the most frequent has (`up`), in their order.

    >>> rows = [{"text": letter, "label": letter.isupper()} for letter in "abcdeXY"]
    >>> "".join(row["text"] for row in sample(rows, "down")), "".join(row["text"] for row in sample(rows, "up"))
    ('bdXY', 'abcdeXXXYY')
    """
    classes: dict[str, list[int]] = {}
    for number in sorted(range(len(rows)), key=lambda number: _lot(rows[number])):
        classes.setdefault(rows[number]["label"], []).append(number)
    sizes = [len(numbers) for numbers in classes.values()]
    wanted = max(sizes) if way == "up" else min(sizes)
    kept = [number for numbers in classes.values() for number in np.resize(numbers, wanted).tolist()]
    return [rows[number] for number in sorted(kept)]


def _lot(row: Row) -> bytes:
    """What decides which rows are taken first: another hash than that which splits them."""
    return hashlib.sha256(f"balance {row['text']}".encode("utf-8", "surrogatepass")).digest()


def fitting(rows: Sequence[Row], tokenizer: Tokenizer, length: int) -> list[Row]:
    """The rows whose text has room; UserError where none has."""
    kept = [row for row in rows if len(whole(tokenizer, row["text"], length + 1)) <= length]
    if not kept:
        raise UserError(f"length: no text has room in {length} tokens; give more, or `long: cut`")
    return kept


class LabelledRows:
    """Rows of labelled texts in an order drawn from the seed, or as they came with None; a `Source` of batches.py."""

    def __init__(
        self, rows: Sequence[Row], names: Sequence[str], tokenizer: Tokenizer, length: int, *, seed: int | None
    ) -> None:
        self.tokenizer, self.seed = tokenizer, seed
        self.names = [row["id"] for row in rows]
        self.labels = np.array([names.index(row["label"]) for row in rows], dtype=np.int64)
        self.texts = [np.array(whole(tokenizer, row["text"], length + 1), dtype=np.int32) for row in rows]
        self.cut = sum(len(ids) > length for ids in self.texts)
        for number, ids in enumerate(self.texts):
            if len(ids) > length:
                self.texts[number] = np.array(whole(tokenizer, rows[number]["text"], length), dtype=np.int32)
        self.length = max(map(len, self.texts))
        self.rows_per_epoch, self.tokens_per_row = len(rows), 1.0

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1."""
        chosen = row_indices(first_row, rows, self.rows_per_epoch, self.seed)
        ids, real = padded([self.texts[row].tolist() for row in chosen.tolist()], self.tokenizer)
        return Batch(ids, torch.from_numpy(self.labels[chosen]), attention_mask=real)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The place of each row in its file."""
        chosen = row_indices(first_row, rows, self.rows_per_epoch, self.seed)
        return [[self.names[row]] for row in chosen.tolist()]

    def __str__(self) -> str:
        """What was cut, as a sentence."""
        if not self.cut:
            return f"{self.rows_per_epoch:,} texts of at most {self.length} tokens"
        return f"{self.cut:,} of {self.rows_per_epoch:,} texts lose what is behind {self.length} tokens"
