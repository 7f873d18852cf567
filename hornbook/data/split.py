"""Rows for training, validation and test: by shares, the same rows on the same side every time, or from files.

Rows are ordered by the SHA-256 of their content, so a split depends on no seed and no order of the file, and a row that
is added moves few others. Rows of the same content always come to the same side: a text that is trained on is in no
test. The counts are exact: 1,100 rows by 0.85 and 0.05 are 935, 55 and 110.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Literal

from hornbook.core.errors import UserError
from hornbook.data import rows
from hornbook.data.rows import Row

SIDES = ("train", "validation", "test")
SHOWN = 3  # sentences about rows that were left out
EPSILON = 1e-9  # 0.57 * 100 is 56.99999999999999


@dataclass
class Parts:
    """Rows in three parts, and what was found on the way."""

    train: list[Row]
    validation: list[Row]
    test: list[Row]
    duplicates: int = 0
    """Rows whose content another row had before them; they are on its side."""
    skipped: list[str] = field(default_factory=list)
    """A sentence for each bad row that was left out."""

    def __str__(self) -> str:
        """The counts as a sentence for the user."""
        counts = ", ".join(f"{len(getattr(self, side)):,} for {side}" for side in SIDES if getattr(self, side))
        told = f"{len(self.train) + len(self.validation) + len(self.test):,} rows: {counts}"
        if self.duplicates:
            told += f"; {self.duplicates:,} say the same as another row and are on its side"
        if self.skipped:
            more = ", ..." if len(self.skipped) > SHOWN else ""
            told += f"; {len(self.skipped):,} were left out ({', '.join(self.skipped[:SHOWN])}{more})"
        return told


@dataclass(frozen=True, kw_only=True)
class Split:
    """Shares of the rows: `train`, `validation`, and the rest is the test."""

    USUAL: ClassVar[bool] = True

    train: float = 0.9
    validation: float = 0.1

    def __post_init__(self) -> None:
        if self.train <= 0 or self.validation < 0 or self.train + self.validation > 1 + EPSILON:
            raise ValueError(
                f"train {self.train} and validation {self.validation} are no shares of the rows; give two numbers "
                "above 0 that come to at most 1, the rest is the test"
            )

    def divide(self, given: Sequence[Row], key: Callable[[Row], Any] | None = None) -> Parts:
        """The rows by their content, or by what `key` takes for it; each part in the order of the rows."""
        groups: dict[bytes, list[int]] = {}
        for number, row in enumerate(given):
            groups.setdefault(_hash(key(row) if key else _content(row)), []).append(number)
        sides = _sides([groups[digest] for digest in sorted(groups)], self.counts(len(given)))
        if len(given) > 1 and self.validation and not sides[1]:
            raise UserError(f"split: all {len(given)} rows say the same, none is left for validation; give others")
        train, validation, test = ([given[i] for i in sorted(chain(*side))] for side in sides)
        return Parts(train, validation, test, duplicates=len(given) - len(groups))

    def counts(self, total: int) -> list[int]:
        """How many of `total` rows are for training, validation and test; a share above 0 is a row at least.

        >>> Split(train=0.85, validation=0.05).counts(1100), Split(train=0.7, validation=0.1).counts(1494)
        ([935, 55, 110], [1045, 149, 300])
        >>> Split().counts(15), Split().counts(2)
        ([14, 1, 0], [1, 1, 0])
        """
        least = int(self.validation > 0)
        validation = min(max(int(self.validation * total + EPSILON), least), max(total - 1, 0))
        if self.train + self.validation > 1 - EPSILON:
            return [total - validation, validation, 0]
        train = min(max(int(self.train * total + EPSILON), 1), total - validation)
        return [train, validation, total - validation - train]


@dataclass(frozen=True, kw_only=True)
class Files:
    """The source is all for training; validation and test have files of their own."""

    validation: str
    test: str | None = None


Group = list[int]  # rows that say the same


def _sides(groups: list[Group], wanted: list[int]) -> list[list[Group]]:
    """The groups on three sides of as many rows as are wanted, if there are enough single rows to make it come out."""
    sides: list[list[Group]] = [[], [], []]
    room = list(wanted)
    for group in groups:
        fits = [side for side in range(3) if room[side] >= len(group)]
        side = fits[0] if fits else room.index(max(room))
        if not fits:
            _make_room(sides, room, side, len(group))
        sides[side].append(group)
        room[side] -= len(group)
    for side in (1, 2):  # too few groups for exact counts: no side that was asked for stays empty
        largest = max(sides, key=len)
        if wanted[side] and not sides[side] and len(largest) > 1:
            sides[side].append(largest.pop())
    return sides


def _make_room(sides: list[list[Group]], room: list[int], side: int, size: int) -> None:
    """Single rows, the last ones of a side, go where there is still room, until `size` rows fit this side."""
    for other in range(3):
        while other != side and room[other] > 0 and room[side] < size:
            single = next((group for group in reversed(sides[side]) if len(group) == 1), None)
            if single is None:
                return
            sides[side].remove(single)
            sides[other].append(single)
            room[other] -= 1
            room[side] += 1


def _content(row: Row) -> Any:
    return {key: value for key, value in row.items() if key not in ("id", rows.OWN_ID)}


def _hash(content: Any) -> bytes:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, kw_only=True)
class Source:
    """Files of rows as a recipe names them. What a row means is said by a subclass: `row` and `key`."""

    source: str
    """A file or folder, or `stage:NAME` for the rows that an earlier stage made."""
    header: list[str] | None = None
    """The names of the columns, for a CSV or TSV file whose first line is a row already."""
    split: Split | Files = Split()
    bad: Literal["stop", "skip"] = "stop"
    """A row that is not what it should be stops the run, or is left out and counted."""

    def row(self, raw: Row) -> Row:
        """What a row of the file is for the stage; UserError with its id where it is not that."""
        raise NotImplementedError

    def key(self, row: Row) -> Any:
        """The part of a row that may not stand on two sides of the split."""
        return _content(row)

    def chosen(self, given: list[Row]) -> list[Row]:
        """The rows of a file that are split at all."""
        return given

    def files(self, file: Callable[[str], Path] = Path) -> list[Path]:
        """Everything that `build` reads; `file` turns a name in the recipe into a path (Place.file)."""
        named = [self.source]
        if isinstance(self.split, Files):
            named += [name for name in (self.split.validation, self.split.test) if name]
        return [path for name in named for path in rows.files(file(name), header=self.header)]

    def build(self, file: Callable[[str], Path] = Path) -> Parts:
        """All rows, read, checked and split."""
        skipped: list[str] = []
        given = list(self.read(file(self.source), skipped))
        if isinstance(self.split, Split):
            parts = self.split.divide(self.chosen(given), self.key)
        else:
            held_out = [self.split.validation, self.split.test]
            validation, test = ([*self.read(file(name), skipped)] if name else [] for name in held_out)
            parts = apart(Parts(given, validation, test), self.key)
        parts.skipped = skipped
        return parts

    def read(self, path: Path, skipped: list[str]) -> Iterator[Row]:
        """The rows of one file or folder; what is left out is told to `skipped`."""
        count = 0
        for raw in rows.read(path, header=self.header):
            try:
                row = self.row(raw)
            except UserError as error:
                if self.bad == "stop":
                    raise
                skipped.append(str(error))
                continue
            count += 1
            yield row
        if not count:
            raise UserError(f"{path}: every row was left out, the first because of {skipped[0]}")


def apart(parts: Parts, key: Callable[[Row], Any] = _content) -> Parts:
    """Parts from files, when none of them says what another says; duplicates inside each are counted."""
    seen: dict[bytes, tuple[str, str]] = {}
    duplicates = 0
    for side in SIDES:
        for row in getattr(parts, side):
            digest = _hash(key(row))
            where, first = seen.setdefault(digest, (side, row["id"]))
            duplicates += first != row["id"]
            if where != side:
                raise UserError(f"{row['id']}: this row for {side} is also one for {where} ({first}); take one out")
    parts.duplicates = duplicates
    return parts
