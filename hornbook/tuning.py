"""The stages that follow a base model, in order, each in a folder of its own: RUN/<name>.

A stage is not run again while nothing that it stands on has changed: its part of the recipe, the model it starts from,
the stages before it, the files it reads. When one has, its folder is emptied and it begins anew.
"""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.console import Console
from hornbook.core import recipe as recipes
from hornbook.core.files import read_json, sha256, write_json
from hornbook.core.run import Run
from hornbook.generate import hub
from hornbook.journal import Journal, digest
from hornbook.settings import Recipe, Tuning
from hornbook.stages import Stage, in_turn, train_stage
from hornbook.train.parallel import Ranks, is_first, processes_here, ranks
from hornbook.tune.place import LeftOut, Makes, Place, Trains

# Changing these between two sittings of a run does not change what it learns.
HARMLESS = (
    "processes", "threads", "patience", "validate_every", "validation_rows", "save_every", "keep", "sample_every",
    "prompts",
)  # fmt: skip
BEGUN = "begun.json"
LANGUAGE_MODEL = "language model"


@dataclass(frozen=True)
class Stages:
    """The stages of a recipe in one run."""

    recipe: Recipe | Tuning
    run: Run
    journal: Journal
    console: Console
    command: list[str]
    """`hornbook train ...` without `--stage`: what starts the other processes of a stage."""

    def all(self) -> None:
        """Every stage in order."""
        for name in self.recipe.stages:
            self.one(name)

    def up_to(self, last: str) -> None:
        """The stages before one, and that one."""
        for name in self.recipe.stages:
            self.one(name)
            if name == last:
                return

    def one(self, name: str) -> None:
        """Run a stage unless it is done; with several processes, the others are started here."""
        stage = self.recipe.stages[name]
        try:
            if isinstance(stage, Trains):
                self._train(name, stage)
            else:
                self._make(name, stage)
        except LeftOut as why:
            self.console.note(f"{name:<10} left out: {why}")

    def _make(self, name: str, stage: Makes) -> None:
        place, key = self._place(name), self._key(name)
        if self.journal.done(name, key, place.run.rows):
            return
        self._begin(place, key)
        began = time.monotonic()
        stage.make(place)
        took = self.journal.finish(name, key, began, keeps="rows")
        self.console.note(f"{name:<10} {place.run.rows}, {took}")

    def _train(self, name: str, stage: Trains) -> None:
        place = self._place(name)
        with ranks(processes_here(stage.train.processes), [*self.command, "--stage", name]) as joined:
            joined.wait()
            with in_turn(joined):
                key = self._key(name)
                if joined.first and not self.journal.done(name, key, place.run.model):
                    self._begin(place, key)
            if not self._is_due(place, key):
                return
            began, place = time.monotonic(), self._place(name, joined)
            train_stage(Stage(name, stage.train, lambda: stage.job(place), place.run), self.console, joined)
            if joined.first:
                self._score(name, stage, place)
                took = self.journal.finish(name, key, began, keeps=stage.KEEPS)
                self.console.note(f"{name:<10} {place.run.model}, {took}")

    def _score(self, name: str, stage: Trains, place: Place) -> None:
        scores = stage.score(place, place.run.model)
        write_json(place.run.scores, scores)
        for line in score_lines(scores):
            self.console.note(f"{name:<10} {line}")

    def _begin(self, place: Place, key: str) -> None:
        """Note what a stage is about to be made from; what is left of another one goes."""
        begun = place.run.folder / BEGUN
        if place.run.folder.exists() and (not begun.exists() or read_json(begun)["fingerprint"] != key):
            self.console.note(f"{place.run.folder}: begun from something else, so it begins anew")
            shutil.rmtree(place.run.folder)
        place.run.folder.mkdir(parents=True, exist_ok=True)
        write_json(begun, {"fingerprint": key})

    def _is_due(self, place: Place, key: str) -> bool:
        """Whether a stage is not done: the same answer in every process."""
        name = place.run.folder.name
        return self.journal.fingerprint(name) != key or not place.run.model.exists()

    def _place(self, name: str, joined: Ranks | None = None) -> Place:
        before = list(self.recipe.stages)[: list(self.recipe.stages).index(name)]
        return Place(
            run=self.run.stage(name),
            base=self._start(name, before),
            seed=self.recipe.seed,
            stages={each: self.run.stage(each).folder for each in before},
            corpus=self.run.corpus if isinstance(self.recipe, Recipe) else None,
            note=lambda text: self.console.note(f"{name:<10} {text}") if is_first() else None,
            ranks=joined or Ranks(),
        )

    def _start(self, name: str, before: list[str]) -> Path:
        """The model a stage starts from: that of the stage it names, or of the newest that is a language model."""
        wanted, entries = self.recipe.stages[name].start, self.journal.entries()
        if wanted is not None:
            return self._base() if wanted == "base" else self.run.stage(wanted).model
        for each in reversed(before):
            if entries.get(each, {}).get("keeps") == LANGUAGE_MODEL:
                return self.run.stage(each).model
        return self._base()

    def _base(self) -> Path:
        return self.run.model if isinstance(self.recipe, Recipe) else hub.find(self.recipe.base)

    def _key(self, name: str) -> str:
        """A hash of all that decides what comes out of a stage."""
        stage, place = self.recipe.stages[name], self._place(name)
        said = {key: value for key, value in recipes.leaves(stage) if key.rpartition(".")[2] not in HARMLESS}
        base = self.journal.fingerprint("pretrain") if isinstance(self.recipe, Recipe) else identity(place.base)
        earlier = [self.journal.fingerprint(each) for each in place.stages]
        read = [sha256(path) if path.is_file() else str(path) for path in stage.files(place)]
        return digest(
            recipes.tag(type(stage)), [[k, str(v)] for k, v in said.items()], self.recipe.seed, base, earlier, read
        )


def identity(model: Path) -> list[Any]:
    """What tells a model's files from others without reading them: names, sizes, times."""
    files = sorted(model.iterdir()) if model.is_dir() else [model]
    return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files if file.is_file()]


def score_lines(scores: Mapping[str, Any]) -> list[str]:
    """Scores for the terminal; what has no single value is for the report.

    >>> score_lines({"accuracy": {"value": 0.9312, "interval": [0.9, 0.95], "of": 300}})
    ['accuracy 0.931 (0.900 to 0.950) of 300']
    """
    lines = []
    for name, found in scores.items():
        if not isinstance(found, dict) or "value" not in found:
            continue
        low_high = found.get("interval")
        spread = f" ({low_high[0]:.3f} to {low_high[1]:.3f})" if low_high else ""
        lines.append(f"{name} {found['value']:.3f}{spread}" + (f" of {found['of']:,}" if found.get("of") else ""))
    return lines
