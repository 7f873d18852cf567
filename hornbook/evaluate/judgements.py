"""What people said, a line each, appended and on the disk before the next question is shown.

Nothing is ever taken out of the file: a rating that is given again stands in the place of the older one, one that is
taken back is a row that says null. A line that a kill cut short is passed over, and its number is told.
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Said = str | Mapping[str, int] | None
"""Of a pair: a, b, tie, bad (both) or skip. Of one answer: a number on every scale, or skip. None: taken back."""
Key = tuple[str, str, tuple[str, ...]]

VERDICTS = ("a", "b", "tie", "bad")
SKIP = "skip"


@dataclass(frozen=True, kw_only=True)
class Rating:
    """What one person said of one question."""

    id: str  # of the prompt
    rater: str
    models: tuple[str, ...]  # a and b, or the one whose answer was shown
    said: Said
    side: str = ""  # who stood on the left, a or b
    seconds: float = 0.0  # from the question to the answer
    note: str = ""

    @property
    def key(self) -> Key:
        """Who said it of what."""
        return self.rater, self.id, self.models

    @property
    def counts(self) -> bool:
        """Whether it is a judgement, not a skip."""
        return self.said is not None and self.said != SKIP

    def row(self) -> dict[str, Any]:
        """As a line of the file.

        >>> row = Rating(id="p:1", rater="Ann", models=("x", "y"), said="tie", side="b", seconds=3.5).row()
        >>> {name: row[name] for name in ("rater", "a", "b", "winner", "side")}
        {'rater': 'Ann', 'a': 'x', 'b': 'y', 'winner': 'tie', 'side': 'b'}
        """
        who = {"id": self.id, "rater": self.rater}
        more = {"seconds": self.seconds, "note": self.note}
        if len(self.models) == 1:
            return {**who, "model": self.models[0], "scores": self.said, **more}
        a, b = self.models
        return {**who, "a": a, "b": b, "winner": self.said, "side": self.side, **more}

    @classmethod
    def of(cls, row: Any) -> "Rating":
        """A line that was read; ValueError where it is no rating."""
        try:
            pair = "a" in row
            models = (row["a"], row["b"]) if pair else (row["model"],)
            said = row["winner" if pair else "scores"]
            more = {name: row[name] for name in ("side", "seconds", "note") if name in row}
            found = cls(id=row["id"], rater=row["rater"], models=models, said=said, **more)
            known = found._is_known() and math.isfinite(found.seconds)
        except (TypeError, KeyError) as error:
            raise ValueError(f"no rating: {error}") from None
        if not known:
            raise ValueError(f"no rating: {said!r}")
        return found

    def _is_known(self) -> bool:
        if isinstance(self.said, Mapping):
            return len(self.models) == 1 and all(type(number) is int for number in self.said.values())
        return self.said in (None, SKIP) or (len(self.models) == 2 and self.said in VERDICTS)


class Ratings:
    """The ratings of a folder, of all people."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.standing: dict[Key, Rating] = {}  # the newest of each that was not taken back, in the order they came
        self.broken: list[int] = []
        """Lines that are no ratings; from 1."""
        content = path.read_bytes() if path.exists() else b""
        self._whole = content.endswith(b"\n") or not content
        for number, line in enumerate(content.splitlines(), 1):
            try:
                self._take(Rating.of(json.loads(line)))
            except ValueError:  # of JSON and of UTF-8 too
                self.broken.append(number)

    def add(self, rating: Rating) -> None:
        """Write a rating down; it is on the disk when this returns."""
        line = json.dumps(rating.row(), ensure_ascii=False) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write((line if self._whole else "\n" + line).encode())
            file.flush()
            os.fsync(file.fileno())
        self._whole = True
        self._take(rating)

    def take_back(self, rater: str) -> Rating | None:
        """Undo the newest that stands of a rater; it, or None where there is none."""
        last = next((each for each in reversed(self.standing.values()) if each.rater == rater), None)
        if last is not None:
            self.add(Rating(id=last.id, rater=rater, models=last.models, said=None, side=last.side))
        return last

    def judgements(self) -> list[Rating]:
        """All that stand and are no skips."""
        return [rating for rating in self.standing.values() if rating.counts]

    def _take(self, rating: Rating) -> None:
        self.standing.pop(rating.key, None)
        if rating.said is not None:
            self.standing[rating.key] = rating
