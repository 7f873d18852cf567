"""Where a stage stands: the model it starts from, its own folder, the stages before it, who listens.

A stage is a part of a recipe that goes on from a finished model. Some train: their config has `train`, makes a `Job`
and scores the result. Some make rows for a later one: their config has `make`. Both are dataclasses that a recipe
names by `type:`; `stages.py` lists them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from hornbook.core.errors import RecipeError
from hornbook.core.run import Run
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.parallel import Ranks

EARLIER = "stage:"  # what stands before the name of a stage where a path may stand too
Kept = Literal["language model", "reward model", "classifier", "embedder"]


class LeftOut(Exception):
    """A stage has nothing to learn from in the run's own corpus, and is left out; the sentence says what is missing."""


@dataclass(frozen=True)
class Place:
    """What a stage is given."""

    run: Run
    """Its own folder, RUN/<name>."""
    base: Path
    """The model it starts from: a folder or file that `LanguageModel.load` reads."""
    seed: int = 0
    stages: Mapping[str, Path] = field(default_factory=dict)
    """The folders of the stages before it, by name."""
    corpus: Path | None = None
    """The documents of the run, where its recipe begins with files."""
    note: Callable[[str], None] = lambda _: None
    """Tells the user a line."""
    ranks: Ranks = field(default_factory=Ranks)

    def file(self, source: str) -> Path:
        """The rows that a recipe means: `stage:critique` are those that an earlier stage made, all else is a path."""
        return Run(self._earlier(source)).rows if source.startswith(EARLIER) else Path(source)

    def model(self, source: str) -> Path:
        """The model that a recipe means: that of an earlier stage (`stage:reward`), or a path or hub id."""
        return Run(self._earlier(source)).model if source.startswith(EARLIER) else Path(source)

    def _earlier(self, source: str) -> Path:
        name = source.removeprefix(EARLIER)
        if name not in self.stages:
            there = ", ".join(self.stages) or "none"
            raise RecipeError(f"{source}: no stage before this one is called {name!r}; there is {there}")
        return self.stages[name]


@runtime_checkable
class Trains(Protocol):
    """A stage that trains a model."""

    KEEPS: ClassVar[Kept]
    """What its model is; a stage starts from the newest language model before it unless `start` names another."""

    @property
    def train(self) -> Train: ...

    @property
    def start(self) -> str | None:
        """The name of the stage whose model it goes on from."""
        ...

    def files(self, place: Place) -> list[Path]:
        """What it reads, beside its base: when one changes, the stage is run again."""
        ...

    def job(self, place: Place) -> Job:
        """The model, what it learns, and from which rows."""
        ...

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """Held-out scores of the trained model, {"accuracy": {"value": 0.93, "interval": [0.9, 0.95], "of": 300}}."""
        ...


class Makes(Protocol):
    """A stage that makes rows for a later one."""

    @property
    def start(self) -> str | None: ...

    def files(self, place: Place) -> list[Path]: ...

    def make(self, place: Place) -> None:
        """Write `rows.jsonl` and `ledger.json` into its folder; what is there already is not made again."""
        ...
