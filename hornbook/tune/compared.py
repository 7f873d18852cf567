"""What the stages that learn from preferences share: the rows of each side, rendered for the model they start from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus.instruct import MAX_LINES, pairs
from hornbook.corpus.stored import stored
from hornbook.data.preference_rows import ComparisonRows, Comparisons
from hornbook.data.preferences import Preferences
from hornbook.data.split import Parts
from hornbook.generate.language_model import LanguageModel
from hornbook.text.chat import Renderer
from hornbook.tune.place import LeftOut, Place

USUAL_LENGTH = 1024  # tokens of a prompt and an answer where nobody says it


@dataclass(frozen=True, kw_only=True)
class FunctionPairs:
    """Python functions of the run's own corpus: what is asked is answered by its own body, not by another's."""

    max_lines: int = MAX_LINES  # of a body
    most: int | None = None  # pairs of a side; None: all there are

    def parts(self, place: Place) -> Parts:
        """The functions of the corpus's training and held-out documents; `LeftOut` where there are too few."""
        if place.corpus is None:
            raise RecipeError("data: functions come from the corpus of a recipe that begins with files; give a source")
        sides = [self._side(place.corpus, side) for side in ("train", "validation")]
        if not all(sides):
            raise LeftOut("the corpus has no two Python functions with a docstring to learn from")
        return Parts(sides[0], sides[1], [])

    def _side(self, corpus: Path, side: str) -> list[dict[str, Any]]:
        rows = [(row["document"], row["messages"]) for row in pairs(stored(corpus, side), max_lines=self.max_lines)]
        found: list[dict[str, Any]] = []
        for number, (document, (*prompt, own)) in enumerate(rows):
            other = rows[(number + 1) % len(rows)][1][-1]
            if own["content"] != other["content"]:
                row = {"prompt": prompt, "chosen": own["content"], "rejected": other["content"], "id": document}
                found.append(row)
        return found[: self.most]


Compared = Preferences | FunctionPairs
"""Where preferences come from."""


def parts_of(data: Compared, place: Place) -> Parts:
    """The preferences for training, validation and test."""
    return data.build(place.file) if isinstance(data, Preferences) else data.parts(place)


def files_of(data: Compared, place: Place) -> list[Path]:
    """Their files."""
    return data.files(place.file) if isinstance(data, Preferences) else []


@dataclass(frozen=True)
class Sides:
    """Pairs to learn from and held-out ones."""

    train: ComparisonRows
    validation: ComparisonRows | None

    @classmethod
    def of(cls, parts: Parts, config: Comparisons, renderer: Renderer, place: Place) -> "Sides":
        """The rows of each part, packed; the user hears how many there are and what became of long ones."""
        place.note(str(parts))
        train = config.build(parts.train, renderer, seed=place.seed)
        validation = config.build(parts.validation, renderer, seed=place.seed) if parts.validation else None
        for name, rows in {"train": train, "validation": validation}.items():
            if rows is not None and rows.long:
                fate = "left out" if config.long == "drop" else "cut"
                place.note(f"{name}: {rows.long:,} with an answer beyond {config.length} tokens were {fate}")
        place.note(f"{len(train.shelf.pairs):,} in {train.rows_per_epoch:,} rows, {train.filled:.0%} full")
        return cls(train, validation)

    @property
    def named(self) -> dict[str, ComparisonRows]:
        """Those there are, by name."""
        return {"train": self.train} | ({"validation": self.validation} if self.validation else {})

    def only_pairs(self, why: str) -> None:
        """Refuse answers that were judged alone, by their id."""
        for rows in self.named.values():
            for name, pair in zip(rows.shelf.names, rows.shelf.pairs, strict=True):
                if None in pair:
                    raise UserError(f"{name}: one answer, judged alone, where {why}; give pairs, or take `kto`")


def held_out(parts: Parts) -> Sequence[Any]:
    """The rows that scores are of: the test or, where there is none, what was validated on."""
    return parts.test or parts.validation


def fitting(length: int | None, lm: LanguageModel) -> int:
    """Tokens of a prompt and its answer: as said, or what the model reads, at most 1024."""
    most: int = lm.module.config.length
    if length is not None and length > most:
        raise RecipeError(f"length: {length} is more than the {most} tokens that the model reads; give less")
    return length or min(most, USUAL_LENGTH)
