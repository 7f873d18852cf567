"""A few real steps of a recipe's pretraining, to see how fast they are; what they write is deleted with its folder.

It is the stage itself (stages.py) with its own loop, on rows of made-up tokens. `python -m hornbook.trial RECIPE STEPS`
does it in a process of its own and prints what it took, so that a trial starts from a fresh heap, and two of them can
train together.
"""

import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from hornbook.console import Console
from hornbook.core import recipe as recipes
from hornbook.core.machine import peak_memory
from hornbook.core.run import Row, Run
from hornbook.data.batches import Batch, Source, Windows
from hornbook.data.shards import Split
from hornbook.model.cost import training_flops
from hornbook.settings import Recipe
from hornbook.stages import Stage, train_stage
from hornbook.tasks import made_up
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.parallel import Ranks, ranks

WARM = 2  # first steps that are not counted: memory is new, kernels are planned
ENOUGH = 2**40  # rows: the data never ends


class Quiet(Console):
    """Hears of every step and says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []

    def step(self, row: Row, total: int, seconds_left: float) -> None:  # noqa: ARG002 (the loop says them)
        self.rows.append(row)

    def note(self, text: str) -> None:
        """Nothing."""


class MadeUp:
    """Rows with nothing in them, made once, where a recipe's rows are no windows of running text."""

    def __init__(self, rows: Batch, length: int) -> None:
        self.rows, self.length = rows, length
        self.rows_per_epoch, self.tokens_per_row = ENOUGH, float(length)

    def batch(self, first_row: int, rows: int) -> Batch:  # noqa: ARG002 (all rows are alike)
        """The same rows every time."""
        found = {field.name: getattr(self.rows, field.name) for field in dataclasses.fields(self.rows)}
        cut = {name: value[:rows] if isinstance(value, torch.Tensor) else value for name, value in found.items()}
        return dataclasses.replace(self.rows, **cut)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """They have no names."""
        return [[f"made-up row {row}"] for row in range(first_row, first_row + rows)]


def rows_of(recipe: Recipe) -> Source:
    """Windows of random tokens through the recipe's own reader, or rows of its shape."""
    torch.manual_seed(0)
    if isinstance(recipe.data, Windows):
        ids = np.random.default_rng(0).integers(0, recipe.model.vocab, 2_000_000).astype(np.uint32)
        table, names = np.array([[0, 0, 0], [len(ids), 0, len(ids)]]), np.zeros(0, np.uint8)
        split = Split("train", Path(), ids, table, names, end=0, fingerprint="", characters=len(ids))
        return recipe.data.build(split, seed=recipe.seed)
    config = recipe.pretrain
    rows = config.rows_per_step or max(1, config.tokens_per_step // recipe.data.length)
    return MadeUp(made_up(recipe.data, recipe.model, rows), recipe.data.length)


def only_steps(config: Train, steps: int) -> Train:
    """The same training, so many steps long, that looks at nothing and asks nothing on the way."""
    length: dict[str, Any] = {"steps": steps, "tokens": None, "epochs": None, "budget": None, "save_every": steps + 1}
    looks: dict[str, Any] = {"sample_every": 0, "evaluate_every": 0, "questions": None, "ramp": None, "lengths": None}
    return dataclasses.replace(config, **length, **looks)


def train(recipe: Recipe, source: Source, console: Quiet, *, steps: int, joined: Ranks | None = None) -> None:
    """WARM + `steps` steps; `console` hears of them."""
    config = only_steps(recipe.pretrain, WARM + steps)

    def job() -> Job:
        return Job(
            model=recipe.model.build(torch.Generator().manual_seed(recipe.seed)),
            objective=recipe.objective,
            source=source,
            seed=recipe.seed,
            flops_per_token=training_flops(recipe.model, recipe.data.length),
            save=lambda _: None,
        )

    with tempfile.TemporaryDirectory() as folder:
        train_stage(Stage("pretrain", config, job, Run(Path(folder))), console, joined or Ranks())


def took(rows: Sequence[Row]) -> dict[str, float]:
    """What the steps after the warm-up say: medians of tokens a second and of the share of the peak."""
    counted = rows[WARM:]
    return {
        "tokens_per_second": median(row["tokens_per_second"] for row in counted),
        "mfu": median(row.get("mfu", 0.0) for row in counted),
        "peak_bytes": peak_memory(),
    }


def main() -> None:
    """One process of a trial; the first prints."""
    recipe: Recipe = recipes.load(Recipe, sys.argv[1])
    console, began = Quiet(), time.process_time()
    with ranks(1, ()) as joined:
        train(recipe, rows_of(recipe), console, steps=int(sys.argv[2]), joined=joined)
        if joined.first:
            print(json.dumps({**took(console.rows), "cpu_seconds": time.process_time() - began}))


if __name__ == "__main__":
    main()
