"""What a training run is given, where it is, and how long it will be: the loop's nouns."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from hornbook.core.errors import UserError
from hornbook.core.run import Row
from hornbook.data.batches import Batch, Source
from hornbook.generate.language_model import LanguageModel
from hornbook.objective.batch import Objective
from hornbook.train.config import Train
from hornbook.train.guard import Watch
from hornbook.train.horizon import Clock, Horizon, Steps, seconds
from hornbook.train.parallel import processes_here

MICRO_BATCH_TOKENS = 4096  # what a pass holds by default: enough to keep the products long, little memory


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is trained, on what."""

    model: nn.Module
    objective: Objective
    source: Source
    validation: Source | None = None
    seed: int = 0
    bytes_per_token: float | None = None  # of the training text: turns a loss into bits per byte
    flops_per_token: float = 0.0  # forward and backward
    peak_flops: float = 0.0  # of this machine, per second; 0: not measured
    sample: Callable[[nn.Module], list[Row]] | None = None  # what the model writes now
    lm: LanguageModel | None = None  # the model with its tokenizer, where it goes on with a text: what can be asked
    ask: Callable[[], dict[str, Row]] | None = None  # its scores on some questions, as it is now, by task
    rows_per_step: int | None = None  # where the rows say it, not the recipe: samples of a prompt stay together
    save: Callable[[Path], None] | None = None  # writes the trained model's folder; None: as its family does


class Listener(Protocol):
    """Who hears of a run while it goes on."""

    def step(self, row: Row, total: int, seconds_left: float) -> None: ...

    def validated(self, row: Row) -> None: ...

    def sampled(self, rows: list[Row]) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass
class Progress:
    """Where a run is; a part of the checkpoint."""

    step: int = 0
    row: int = 0  # the next row to read
    tokens: int = 0  # read so far
    seconds: float = 0.0  # of wall-clock time, all sittings together
    reserve: float = 0.0  # seconds of a budget kept for the last look at the held-out rows
    watch: Watch = field(default_factory=Watch)

    @classmethod
    def read(cls, state: dict[str, Any]) -> "Progress":
        """From the JSON of a checkpoint."""
        watch = Watch(state["watch"]["losses"], [(first, end) for first, end in state["watch"]["skipped"]])
        return cls(**{**state, "watch": watch})

    def state(self) -> dict[str, Any]:
        """As JSON for a checkpoint."""
        return dataclasses.asdict(self)


def rows_per_step(config: Train, job: Job) -> int:
    """Rows of an optimizer step."""
    source, rows = job.source, job.rows_per_step or config.rows_per_step
    processes = processes_here(config.processes)
    if rows is not None and rows < processes:
        raise UserError(f"rows_per_step: {rows} is less than a row for each of {processes} processes; give more")
    rows = rows or config.tokens_per_step // source.length
    if rows < processes:
        raise UserError(
            f"tokens_per_step: {config.tokens_per_step} holds {rows} rows of {source.length} tokens; "
            f"give at least {source.length * processes}"
        )
    if config.lengths is not None and source.length % config.lengths.start:
        raise UserError(f"lengths.start: {config.lengths.start} does not divide the rows of {source.length} tokens")
    return rows


def micro_batches(source: Source, share: range, rows: int | None) -> list[Batch]:
    """Some rows, `rows` at a time or as many as hold MICRO_BATCH_TOKENS."""
    size = rows or max(1, MICRO_BATCH_TOKENS // source.length)
    return [source.batch(row, min(size, share.stop - row)) for row in range(share.start, share.stop, size)]


def horizon(config: Train, job: Job, reserve: float = 0.0) -> Horizon:
    """The length of the run, in steps or by the clock."""
    if config.budget is not None:
        return Clock(seconds(config.budget), reserve)
    if config.steps is not None:
        return Steps(config.steps)
    rows = (config.epochs or 0) * job.source.rows_per_epoch
    if config.tokens is not None:
        rows = config.tokens / job.source.length
    return Steps(max(1, round(rows / rows_per_step(config, job))))


def bits_per_byte(loss: float, bytes_per_token: float) -> float:
    """A loss in nats per token as bits per byte of text.

    >>> round(bits_per_byte(2.0794415, 3.0), 6)
    1.0
    """
    return loss / 0.6931471805599453 / bytes_per_token


def few(names: list[str]) -> str:
    """The first of many names, for a sentence.

    >>> few(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more documents'
    """
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more documents" if len(names) > 3 else "")
