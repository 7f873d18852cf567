"""What is wanted, as a number: a function of one's own, a reward model, or something that a program can check.

Each reward turns texts into parts with names, whose sum is the reward; all of them are written down beside the text
(rollouts.jsonl), so that one can see what was paid for. A reward that cannot be found stops the run with the row's id.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hornbook.align.functions import function
from hornbook.core.errors import UserError
from hornbook.generate.reward import RewardModel
from hornbook.text.python import function_body, is_python

Row = dict[str, Any]
Parts = Mapping[str, float]
Score = Callable[[Sequence[Row]], list[Parts]]
"""Rows {"id", "prompt", "completion", "row"} -> the parts of the reward of each."""
FindModel = Callable[[str], Path]


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of yours: `reward(prompt, completion, row) -> float`, where `row` has all columns of the prompt's."""

    path: str  # file.py:name
    skip_bad: bool = False  # leave a text out whose reward raises or is no number; else the run stops

    def build(self, find: FindModel) -> Score:  # noqa: ARG002 -- rewards that are models ask it
        """Import it."""
        own, name = function(self.path, "reward"), self.path.rpartition(":")[2]
        return lambda rows: [{name: self._one(own, row)} for row in rows]

    def _one(self, function: Callable[[str, str, Row], Any], row: Row) -> float:
        try:
            value = function(row["prompt"], row["completion"], row["row"])
            what = f"gave {value!r}"
        except Exception as error:  # it is the user's own code, whatever it raises is told
            value, what = None, f"raised {type(error).__name__}: {error}"
        known = isinstance(value, int | float) or hasattr(value, "__float__")
        number = float(value) if known else math.nan
        if math.isfinite(number):
            return number
        if self.skip_bad:
            return math.nan
        raise UserError(
            f"{row['id']}: the reward {self.path} {what} for {row['completion'][:80]!r}; mend it to give a finite "
            "number, or say `skip_bad: true` to leave such texts out"
        )

    @property
    def files(self) -> list[Path]:
        """What decides it."""
        return [Path(self.path.rpartition(":")[0])]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A reward model: a folder, a hub id, or `stage:NAME` of an earlier stage."""

    path: str

    def build(self, find: FindModel) -> Score:
        """Load it when the first text comes."""
        rewarder = cache(lambda: RewardModel.load(find(self.path)))

        def score(rows: Sequence[Row]) -> list[Parts]:
            talks = [[*_asked(row), {"role": "assistant", "content": row["completion"]}] for row in rows]
            numbers = [float(number) for number in rewarder().scores(talks)]
            for row, number in zip(rows, numbers, strict=True):
                if not math.isfinite(number):
                    raise UserError(f"{row['id']}: the reward model {self.path} gave {number}; train it anew")
            return [{"model": number} for number in numbers]

        return score

    @property
    def files(self) -> list[Path]:
        """What decides it, where the recipe's stages do not."""
        return []


def _asked(row: Row) -> list[dict[str, str]]:
    prompt = row["row"].get("prompt")
    if isinstance(prompt, list):
        return [{"role": each["role"], "content": each["content"]} for each in prompt]
    return [{"role": "user", "content": row["prompt"]}]


@dataclass(frozen=True, kw_only=True)
class PythonParses:
    """1 where the completion is the body of the function whose head was asked, and it does something; else 0."""

    def build(self, find: FindModel) -> Score:  # noqa: ARG002
        """Needs nothing."""
        return lambda rows: [{"parses": float(is_python(r["prompt"], function_body(r["completion"])))} for r in rows]

    @property
    def files(self) -> list[Path]:
        """None."""
        return []


@dataclass(frozen=True, kw_only=True)
class Length:
    """0 for a text of so many words, less for a longer or shorter one, -1 at the least."""

    words: int

    def __post_init__(self) -> None:
        if self.words < 1:
            raise ValueError(f"words: {self.words} is no text; give at least 1")

    def build(self, find: FindModel) -> Score:  # noqa: ARG002
        """Needs nothing."""
        return lambda rows: [{"length": self._one(row["completion"])} for row in rows]

    def _one(self, text: str) -> float:
        return max(-1.0, -abs(len(text.split()) - self.words) / self.words)

    @property
    def files(self) -> list[Path]:
        """None."""
        return []


@dataclass(frozen=True, kw_only=True)
class Contains:
    """1 where a text has one of these words, in any case, or with `wanted: false` has none of them; else 0."""

    words: tuple[str, ...]
    wanted: bool = True

    def build(self, find: FindModel) -> Score:  # noqa: ARG002
        """Needs nothing."""
        words = [word.casefold() for word in self.words]

        def one(text: str) -> float:
            return float(any(word in text.casefold() for word in words) is self.wanted)

        return lambda rows: [{"contains": one(row["completion"])} for row in rows]

    @property
    def files(self) -> list[Path]:
        """None."""
        return []


Single = Function | Model | PythonParses | Length | Contains


@dataclass(frozen=True, kw_only=True)
class Weighted:
    """One of several."""

    weight: float = 1.0
    reward: Single


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Several rewards, each times its weight."""

    of: tuple[Weighted, ...]

    def build(self, find: FindModel) -> Score:
        """Each of them."""
        scores = [(each.weight, each.reward.build(find)) for each in self.of]

        def score(rows: Sequence[Row]) -> list[Parts]:
            found: list[dict[str, float]] = [{} for _ in rows]
            for weight, one in scores:
                for whole, parts in zip(found, one(rows), strict=True):
                    for name, number in parts.items():
                        free = next(n for n in (name, *(f"{name} {i}" for i in range(2, 99))) if n not in whole)
                        whole[free] = weight * number
            return list(found)

        return score

    @property
    def files(self) -> list[Path]:
        """All of theirs."""
        return [path for each in self.of for path in each.reward.files]


Reward = Single | Sum
