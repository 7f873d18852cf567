"""Which model learns most in a minute, in three, in ten? Every setting trained for the same processor time.

    python benchmarks/sweep/sweep.py --folder WORK [--only 1m] [--rounds 1]

Settings are in settings.yaml: a budget, and for each setting what it changes in the recipe `demo`. A budget of a minute
is a minute of two cores, 120 processor seconds of one process with one thread; the schedule follows that clock, so a
machine that is busy with other things changes little. Every run ends with the loss on the whole held-out text, as bits
per byte of that text. Rows go to results.jsonl beside this file, one a run; what is there already is not run again.
plot.py draws them.
"""

import argparse
import dataclasses
import json
import resource
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import yaml

from hornbook.build import Build
from hornbook.core import device as machine
from hornbook.core.run import Row, Run
from hornbook.data import shards
from hornbook.jobs import pretraining
from hornbook.settings import Recipe, load
from hornbook.text.tokenizer import load as load_tokenizer
from hornbook.train.loop import Trainer
from hornbook.train.measure import measure
from hornbook.train.parallel import Ranks

HERE = Path(__file__).parent
CORES = 2  # a budget is a minute of so many cores
POINTS = 60  # of the curve that is kept


class Quiet:
    """Nobody listens."""

    def step(self, row: Row, total: int, seconds_left: float) -> None: ...

    def validated(self, row: Row) -> None: ...

    def sampled(self, rows: list[Row]) -> None: ...

    def note(self, text: str) -> None: ...


def main() -> None:
    """Run what has no result yet."""
    options = argparse.ArgumentParser()
    options.add_argument("--folder", type=Path, required=True, help="where corpus, tokenizers and runs are kept")
    options.add_argument("--settings", type=Path, default=HERE / "settings.yaml")
    options.add_argument("--out", type=Path, default=HERE / "results.jsonl")
    options.add_argument("--only", help="this budget only, such as 1m")
    given = options.parse_args()
    done = {key(row) for row in rows(given.out)}
    for entry in yaml.safe_load(given.settings.read_text()):
        for name, changes in entry["settings"].items():
            asked = {"budget": entry["budget"], "name": name, "changes": changes, "seed": entry.get("seed", 0)}
            if key(asked) in done or given.only not in (None, entry["budget"]):
                continue
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:  # its peak memory is its own
                row = {**asked, **fresh.submit(run, asked, given.folder).result()}
            with given.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(
                f"{row['budget']:>4} {name:<28} {row['bits_per_byte']:.4f} bits/byte, {row['parameters'] / 1e6:.1f} M"
            )


def rows(path: Path) -> list[dict[str, Any]]:
    """What was found so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def key(row: dict[str, Any]) -> tuple[Any, ...]:
    """What makes two runs the same."""
    return row["budget"], tuple(row["changes"]), row["seed"]


def run(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Train one setting; what came of it."""
    torch.set_num_threads(1)
    minutes = float(asked["budget"].removesuffix("m"))
    recipe = load("demo", [*asked["changes"], f"seed={asked['seed']}"])
    config = dataclasses.replace(
        recipe.pretrain,
        budget=f"{minutes * 60 * CORES:.0f}s",
        processes=1,
        validate_every=10**9,
        sample_every=0,
        save_every=10**9,
    )
    home, run_folder = prepared(recipe, folder), Run(folder / "run")
    shutil.rmtree(run_folder.folder, ignore_errors=True)
    whole = pretraining(recipe, home, load_tokenizer(home.tokenizer))
    job = dataclasses.replace(whole, validation=None)  # what that takes is not training
    precision = machine.choose(precision=config.precision).precision
    trainer = Trainer(
        config, job, run_folder, listener=Quiet(), ranks=Ranks(), precision=precision, clock=time.process_time
    )
    progress = trainer.fit()
    assert whole.validation is not None
    batches = (whole.validation.batch(row, 1) for row in range(whole.validation.rows_per_epoch))
    loss = measure(job.model, job.objective, batches, trainer.precision.context).loss
    text = shards.load(home.shards).manifest["splits"]["validation"]
    steps = rows(run_folder.metrics)
    return {
        "bits_per_byte": loss / 0.6931471805599453 * text["tokens"] / text["bytes"],
        "validation_loss": loss,
        "parameters": sum(parameter.numel() for parameter in job.model.parameters()),
        "steps": progress.step,
        "tokens": progress.tokens,
        "precision": precision,
        "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "curve": [
            [round(row["seconds"], 1), round(row["bits_per_byte"], 4)] for row in steps[:: max(1, len(steps) // POINTS)]
        ],
    }


def prepared(recipe: Recipe, folder: Path) -> Run:
    """The tokens of the recipe's vocabulary, made once."""
    assert recipe.tokenizer is not None
    home = folder / f"vocab-{recipe.tokenizer.vocab}"
    build = Build("demo", [f"tokenizer.vocab={recipe.tokenizer.vocab}"], home)
    build.tokens()
    return Run(home)


if __name__ == "__main__":
    main()
