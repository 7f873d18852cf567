"""Who is fastest when each divides the machine's cores as suits it best? Wall-clock time, the machine left alone.

A contestant in a layout is a group of processes that live through the whole comparison and wait for their turn; a turn
is some steps, and all groups take turns. hornbook trains with one process a core, as its recipes do where they say
`processes: auto`, or with threads. nanoGPT's script has no data parallelism on a CPU and people run transformers in one
process with threads; what both would do under PyTorch's own DistributedDataParallel is measured beside it, and not
counted as their best. train_speed.py calls this; it wants the machine to itself.
"""

import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
import torch.distributed as dist

from hornbook.core.machine import keep_freed_memory, physical_cores

TURN = 2.0  # seconds, about


@dataclass(frozen=True)
class Layout:
    """A contestant and how it divides the cores."""

    name: str
    processes: int
    threads: int

    @property
    def title(self) -> str:
        """As a row of the table."""
        how = " under DDP" if self.processes > 1 and self.name != "hornbook" else ""
        return f"{self.name}{how}, {self.processes} x {self.threads}"

    @property
    def counts(self) -> bool:
        """Whether people run it so."""
        return self.name == "hornbook" or self.processes == 1


@dataclass
class Group:
    """The processes of a layout, waiting for their turn."""

    layout: Layout
    pipes: list[Any]
    members: list[Any]
    speeds: list[float] = field(default_factory=list)  # tokens per second, a turn each

    def go(self, steps: int) -> float:
        """Seconds that the slowest took."""
        for pipe in self.pipes:
            pipe.send(steps)
        return max(pipe.recv() for pipe in self.pipes)

    def end(self) -> None:
        """Let them go home."""
        for pipe in self.pipes:
            pipe.send(0)
        for member in self.members:
            member.join()


def layouts(cores: int) -> list[Layout]:
    """What is tried on so many cores."""
    names = ("hornbook", "plain loop", "transformers")
    each = [Layout(name, 1, threads) for name in names for threads in dict.fromkeys((1, cores))]
    return each + [Layout(name, cores, 1) for name in names if cores > 1]


def compare(shape: str, tokens: int, precision: str, rounds: int) -> float:
    """Print a table; our best layout's speed over the best peer's."""
    with tempfile.TemporaryDirectory() as folder:
        groups = [
            start(each, shape, precision, Path(folder) / str(i)) for i, each in enumerate(layouts(physical_cores()))
        ]
        try:
            steps = [max(1, round(TURN / (group.go(2) / 2))) for group in groups]
            for _ in range(rounds):
                for group, count in zip(groups, steps, strict=True):
                    group.speeds.append(tokens * count / group.go(count))
        finally:
            for group in groups:
                group.end()
    for group in groups:
        low, _, high = quantiles(group.speeds, n=4) if rounds > 1 else (group.speeds * 3)
        middle = f"{median(group.speeds):8.0f} tokens per second"
        print(f"  {group.layout.title:32}{middle} (quartiles {low:.0f} to {high:.0f})", flush=True)
    ours = max(median(group.speeds) for group in groups if group.layout.name == "hornbook")
    return ours / max(median(g.speeds) for g in groups if g.layout.name != "hornbook" and g.layout.counts)


def start(layout: Layout, shape: str, precision: str, folder: Path) -> Group:
    """Begin the processes of a layout; they are built and have taken no step."""
    fresh, pipes, members = get_context("spawn"), [], []
    folder.mkdir()
    for rank in range(layout.processes):
        here, there = fresh.Pipe()
        member = fresh.Process(target=work, args=(layout, rank, shape, precision, folder, there), daemon=True)
        member.start()
        pipes.append(here)
        members.append(member)
    for pipe in pipes:
        pipe.recv()
    return Group(layout, pipes, members)


def work(layout: Layout, rank: int, shape: str, precision: str, folder: Path, pipe: Any) -> None:
    """One process: so many steps whenever it is told, until it is told none."""
    torch.set_num_threads(layout.threads)
    if layout.processes > 1:
        place = f"file://{folder / 'meeting'}"
        dist.init_process_group("gloo", init_method=place, rank=rank, world_size=layout.processes)
    step = contestant(layout, rank, shape, precision, folder / str(rank))
    pipe.send(0.0)
    while steps := pipe.recv():
        began = time.perf_counter()
        for _ in range(steps):
            step()
        pipe.send(time.perf_counter() - began)


def contestant(layout: Layout, rank: int, shape: str, precision: str, folder: Path) -> Any:
    """A step of this process's share of the rows."""
    from train_speed import SHAPES, hornbook_step, peer_step, peers

    if layout.name == "hornbook":
        keep_freed_memory()  # as every training stage does
        return hornbook_step(SHAPES[shape], precision, folder, rank=rank, world=layout.processes)
    model = peers(SHAPES[shape])[layout.name]
    if layout.processes > 1:
        model = torch.nn.parallel.DistributedDataParallel(model)
    return peer_step(model, SHAPES[shape], precision, rows=SHAPES[shape].rows // layout.processes)
