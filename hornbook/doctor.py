"""`hornbook doctor --profile RECIPE`: where a step's time goes on this machine, and what would make it shorter.

The shares come from torch.profiler around real steps (trial.py, shares.py). Advice is not guessed: every layout it
names was tried for a few steps in processes of its own, in turn with the recipe as it is, and said to help only where
it helped by more than two trials of the same thing differ.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from hornbook.console import layout, short
from hornbook.core import device as machine
from hornbook.core import recipe as recipes
from hornbook.core.errors import UserError
from hornbook.core.machine import keep_freed_memory
from hornbook.core.table import print_table
from hornbook.optim.groups import Optimizer
from hornbook.settings import Recipe, load
from hornbook.shares import DATA, OPTIMIZER, shares
from hornbook.show import micro_rows, threads_each
from hornbook.size import choose
from hornbook.train.parallel import free_port, processes_here
from hornbook.trial import WARM, Quiet, rows_of, took, train

PROFILED = 3  # steps
TRIED_SECONDS = 1.5  # of steps in a trial, at least LEAST of them
LEAST, MOST, ROUNDS = 3, 20, 2
WORTH = 0.03  # a gain below this is not worth a line of a recipe
COMPILE = "compile: yes was not tried: its first step takes half a minute to two; on a CPU it gains little where"


@dataclass(frozen=True)
class Change:
    """Something that might be faster: other values of `pretrain`."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    apart: bool = False  # in processes of its own, and compared with the recipe as it is in one of its own


class Watched(Quiet):
    """Profiles the steps after the warm-up."""

    seconds = 0.0

    def step(self, row: dict[str, Any], total: int, seconds_left: float) -> None:
        super().step(row, total, seconds_left)
        if len(self.rows) == WARM:
            self.profiler = profile(activities=[ProfilerActivity.CPU])
            self.profiler.start()
            self.seconds = time.perf_counter()
        if len(self.rows) == total:
            self.seconds = time.perf_counter() - self.seconds
            self.profiler.stop()
            self.events: list[Any] = list(self.profiler.events())  # type: ignore[no-untyped-call]  # torch's


@dataclass(frozen=True)
class Marked:
    """An optimizer's config whose steps the profiler sees by name."""

    config: Any

    def build(self, model: nn.Module) -> Optimizer:
        """The optimizer."""
        optimizer: Any = self.config.build(model)
        optimizer.step = _marked(OPTIMIZER, optimizer.step)
        return optimizer  # type: ignore[no-any-return]  # any config's


class MarkedRows:
    """Rows whose reading the profiler sees by name."""

    def __init__(self, source: Any) -> None:
        self.source, self.batch = source, _marked(DATA, source.batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)


def _marked(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def marked(*given: Any, **named: Any) -> Any:
        with record_function(name):
            return work(*given, **named)

    return marked


def print_profile(source: str, overrides: list[str]) -> None:
    """Profile a recipe's pretraining, try what might be faster, and say both."""
    recipe, said = choose(load(source, overrides))
    print("".join(f"{line}\n" for line in said), end="")
    watched = profiled(recipe)
    pace = median(row["tokens_per_second"] for row in watched.rows[WARM:])
    per_step = watched.rows[0]["tokens"]
    kinds = shares(watched.events, watched.seconds)
    print_table((f"a step of {source}", "share"), [(kind, f"{share:.1%}") for kind, share in kinds.items()])
    steps = int(min(MOST, max(LEAST, TRIED_SECONDS * pace / per_step)))
    tried = [*references(recipe), *changes(recipe)]
    print(f"{len(tried) * ROUNDS} trials of {steps + WARM} steps, {(steps + WARM) * per_step / pace:.0f} s each ...")
    found = measured(recipe, tried, steps)
    _print_speed(recipe, found[1])
    for line in advice(tried, found):
        print(line)


def profiled(recipe: Recipe) -> Watched:
    """Some steps under the profiler, in this process alone."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's own lines
    optimizer: Any = Marked(recipe.pretrain.optimizer)  # it builds one, and the loop asks no more
    threads = threads_each(recipe.pretrain)
    marked = dataclasses.replace(recipe.pretrain, optimizer=optimizer, processes=1, threads=threads)
    watched, before = Watched(), torch.get_num_threads()
    try:
        train(dataclasses.replace(recipe, pretrain=marked), MarkedRows(rows_of(recipe)), watched, steps=PROFILED)
    finally:
        torch.set_num_threads(before)
    return watched


def references(recipe: Recipe) -> list[Change]:
    """The recipe as it is, in this process where it wants only one, and in processes of its own."""
    several = processes_here(recipe.pretrain.processes) > 1
    return [Change("as the recipe says", apart=several), Change("as the recipe says", apart=True)]


def changes(recipe: Recipe) -> list[Change]:
    """What may be worth a trial on this machine."""
    config, cores, found = recipe.pretrain, machine.physical_cores(), []
    processes, threads, rows = processes_here(config.processes), threads_each(config), micro_rows(recipe)
    choice = machine.choose(precision=config.precision)
    layouts = [(1, 1), (1, cores), *([(2, max(1, cores // 2))] if cores > 1 else [])] if choice.device == "cpu" else []
    for many, each in dict.fromkeys(layouts):
        if (many, each) != (processes, threads):
            found.append(
                Change(f"processes: {many}, threads: {each}", {"processes": many, "threads": each}, apart=many > 1)
            )
    most = max(1, (config.rows_per_step or config.tokens_per_step // recipe.data.length) // processes)
    found += [
        Change(f"micro_batch: {size}", {"micro_batch": size})
        for size in dict.fromkeys((max(1, rows // 2), min(most, rows * 2)))
        if size != rows
    ]
    if choice.device == "cpu" and machine.cpu_has_bf16():
        other = "fp32" if choice.precision == "bf16" else "bf16"
        found.append(Change(f"precision: {other}", {"precision": other}))
    return [
        dataclasses.replace(change, apart=change.apart or (processes > 1 and "processes" not in change.values))
        for change in found
    ]


def measured(recipe: Recipe, tried: list[Change], steps: int) -> list[list[dict[str, float]]]:
    """What each change's trials took, all in turn ROUNDS times."""
    found: list[list[dict[str, float]]] = [[] for _ in tried]
    for _ in range(ROUNDS):
        for change, rows in zip(tried, found, strict=True):
            rows.append((_trial if change.apart else _here)(recipe, change, steps))
    return found


def _here(recipe: Recipe, change: Change, steps: int) -> dict[str, float]:
    """One change in this process."""
    config = dataclasses.replace(recipe.pretrain, **{"threads": threads_each(recipe.pretrain), **change.values})
    console, before = Quiet(), torch.get_num_threads()
    try:
        tried = dataclasses.replace(recipe, pretrain=config)
        train(tried, rows_of(tried), console, steps=steps)
    finally:
        torch.set_num_threads(before)
    return took(console.rows)


def _trial(recipe: Recipe, change: Change, steps: int) -> dict[str, float]:
    """One change in processes of its own: the first one's account."""
    config = dataclasses.replace(recipe.pretrain, **{"threads": threads_each(recipe.pretrain), **change.values})
    many = processes_here(config.processes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.yaml"
        path.write_text(recipes.to_yaml(dataclasses.replace(recipe, pretrain=config)), encoding="utf-8")
        command = [sys.executable, "-m", "hornbook.trial", str(path), str(steps)]
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(many)}
        started = [
            subprocess.Popen(
                command,
                env={**os.environ, **({**place, "RANK": str(rank)} if many > 1 else {})},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(many)
        ]
        said = [process.communicate() for process in started]
    if any(process.returncode for process in started):
        raise UserError(f"{change.name}: its trial failed: {(said[0][1].strip().splitlines() or ['no word'])[-1]}")
    account: dict[str, float] = json.loads(said[0][0].splitlines()[-1])
    return account


def advice(tried: list[Change], found: list[list[dict[str, float]]]) -> list[str]:
    """A sentence for each change, the fastest first; `tried` begins with the two `references`."""
    speeds = [[row["tokens_per_second"] for row in rows] for rows in found]
    noise = max((max(speed) - min(speed)) / median(speed) for speed in speeds[:2])
    said = []
    for change, speed in zip(tried[2:], map(median, speeds[2:]), strict=True):
        gain = speed / median(speeds[1 if change.apart else 0]) - 1
        if gain > max(WORTH, noise):
            said.append((-gain, f"would change {change.name}: measured {gain:.0%} faster"))
        else:
            word = f"{-gain:.0%} slower" if gain < 0 else f"{gain:.0%} faster, which says nothing here"
            said.append((-gain, f"would not change to {change.name}: measured {word}"))
    lines = [sentence for _, sentence in sorted(said)]
    return [*lines, f"Trials of the recipe as it is differ by {noise:.0%}.", f"{COMPILE} most of a step is products."]


def _print_speed(recipe: Recipe, rows: list[dict[str, float]]) -> None:
    config = recipe.pretrain
    choice = machine.choose(precision=config.precision)
    processes, threads = processes_here(config.processes), threads_each(config)
    peak = machine.peak_gflops(processes * threads, choice.precision, device=choice.device)
    speed, mfu = (median(row[name] for row in rows) for name in ("tokens_per_second", "mfu"))
    print_table(
        ("as the recipe says", "without the profiler"),
        [
            ("layout", f"{layout(processes, threads)}, {micro_rows(recipe)} rows at once"),
            ("numbers", f"{choice.device}, {choice.precision}: {choice.reason}"),
            ("tokens per second", short(int(speed))),
            ("peak of matrix products", f"{peak:.0f} GFLOP/s"),
            ("MFU", f"{mfu:.1%} of the peak beside each trial"),
            ("memory", "what a step frees is kept for the next one" if keep_freed_memory() else "the library's way"),
            ("peak memory of a process", f"{max(row['peak_bytes'] for row in rows) / 2**20:,.0f} MiB"),
        ],
    )
