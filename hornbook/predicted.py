"""What a pretraining was foretold to take, held against what it took: time, memory, loss.

Before the first step the foretold numbers are written to RUN/predicted.json, each with how it was found; at the end
they stand beside the measured ones in the terminal and in a row of metrics.jsonl, with the error as a share. Nothing
is foretold that nobody knows: a loss only where a ladder of the same text was climbed (`hornbook scale`).
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from hornbook.console import span
from hornbook.core import recipe as recipes
from hornbook.core.files import read_json, write_json
from hornbook.core.machine import peak_memory
from hornbook.core.run import Log, Row, Run
from hornbook.core.table import print_table
from hornbook.data import shards
from hornbook.journal import digest
from hornbook.model.cost import cost
from hornbook.plan.laws import Law
from hornbook.settings import Recipe
from hornbook.show import measure_pace, training_bytes
from hornbook.tasks import row_tokens
from hornbook.train.horizon import seconds

FORWARD = 1 / 3  # of a training step's operations: what a look at held-out rows takes a token
LADDERS = Path("runs/scale")  # where `hornbook scale` writes
STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Foretold:
    """A number that will be measured, in seconds, bytes or nats per token, and where it is from."""

    value: float | None  # None: unknown
    how: str


def foretell(recipe: Recipe, run: Run) -> dict[str, Foretold]:
    """Write what pretraining will take, unless an earlier sitting did."""
    path = run.folder / "predicted.json"
    if path.exists() and any(run.checkpoints.glob("step-*")):
        _forget_peak()
        return {name: Foretold(**each) for name, each in read_json(path).items()}
    parameters = cost(recipe.model).parameters
    need = training_bytes(recipe, parameters)
    time, tokens = _time(recipe, run, need)
    found = {"seconds": time, "memory_bytes": _memory(need), "loss": _loss(recipe, parameters, tokens)}
    write_json(path, {name: asdict(each) for name, each in found.items()})
    _forget_peak()
    return found


def hold(foretold: dict[str, Foretold], run: Run) -> Row:
    """Measured beside foretold: printed as a table, and appended to the run's metrics."""
    rows = Log(run.metrics).rows()
    looked = [row["validation_loss"] for row in rows if "validation_loss" in row]
    trained = read_json(run.folder / "training.json")
    measured = {"seconds": trained["seconds"], "memory_bytes": _peak(), "loss": looked[-1] if looked else None}
    errors = {name: _error(foretold[name].value, measured[name]) for name in measured}
    row: Row = {"step": trained["steps"], "predicted": {name: each.value for name, each in foretold.items()}}
    row |= {"measured": measured, "prediction_error": errors}
    Log(run.metrics).append(row)
    cells = []
    for name, value in measured.items():
        said = foretold[name]
        cells.append(
            (name.partition("_")[0], _text(name, said.value), _text(name, value), _share(errors[name]), said.how)
        )
    print_table(("pretraining", "predicted", "measured", "error", "predicted from"), cells)
    return row


def fingerprint(recipe: Recipe) -> str:
    """Of what a law of losses holds for: the text, its tokens and what is learned from them."""
    corpus = {name: value for name, value in recipes.dump(recipe.corpus).items() if name != "engine"}
    return digest(corpus, *(recipes.dump(part) for part in (recipe.tokenizer, recipe.data, recipe.objective)))


def _time(recipe: Recipe, run: Run, need: dict[str, int]) -> tuple[Foretold, float]:
    """Seconds of the whole training, and the tokens it reads (0: the clock decides)."""
    config, row = recipe.pretrain, row_tokens(recipe.data)
    if config.budget is not None:
        return Foretold(seconds(config.budget), "the budget"), 0.0
    pace = measure_pace(recipe, need)
    each = config.rows_per_step * row if config.rows_per_step else config.tokens_per_step
    steps = config.steps or round((config.tokens or (config.epochs or 0) * _tokens(recipe, run)) / each)
    read = sum(config.ramp.rows(step) * row for step in range(steps)) if config.ramp else steps * each
    looks = (steps // config.validate_every + 1) * config.validation_rows * row * FORWARD
    return Foretold(pace.seconds * (read + looks) / config.tokens_per_step, pace.how), float(read)


def _tokens(recipe: Recipe, run: Run) -> float:
    """Tokens of a pass over the data; none where the rows are not tokens."""
    return float(shards.load(run.shards).train.tokens) if recipe.tokenizer is not None else 0.0


def _memory(need: dict[str, int]) -> Foretold:
    """What this process holds now, and what training adds."""
    how = "its parts"
    if torch.cuda.is_available():
        return Foretold(float(need["together"]), how)
    held = _kilobytes("VmRSS")
    return Foretold(held + need["together"], f"{how}, and {held / 2**20:.0f} MiB held before")


def _loss(recipe: Recipe, parameters: int, tokens: float) -> Foretold:
    """By the law of a ladder of this text."""
    key = fingerprint(recipe)
    for path in sorted(LADDERS.rglob("fit.json")):
        fitted = read_json(path)
        if fitted["fingerprint"] == key and tokens:
            law = Law(**{name: fitted["law"][name] for name in ("E", "A", "B", "alpha", "beta")})
            return Foretold(law.loss(parameters, tokens), f"the law in {path}")
    return Foretold(None, "no ladder of this text (hornbook scale)" if tokens else "the clock decides what is read")


def _forget_peak() -> None:
    """Memory is measured from here on."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    elif FORGET.exists():
        FORGET.write_text("5")  # Linux: the peak of this process becomes what it holds now


def _peak() -> float:
    return float(torch.cuda.max_memory_allocated() if torch.cuda.is_available() else peak_memory())


def _kilobytes(name: str) -> float:
    """A line of this process's status in bytes; the peak where there is none."""
    if not STATUS.exists():
        return float(peak_memory())
    return next(float(line.split()[1]) * 1024 for line in STATUS.read_text().splitlines() if line.startswith(name))


def _error(predicted: float | None, measured: Any) -> float | None:
    return predicted / measured - 1 if predicted is not None and measured else None


def _share(error: float | None) -> str | None:
    return None if error is None else f"{error:+.1%}"


def _text(name: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    if name == "loss":
        return f"{value:.3f} nats"
    return span(value) if name == "seconds" else f"{value / 2**20:,.0f} MiB"
