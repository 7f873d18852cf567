"""What several processes bring on this machine, and what they save: two figures of the layouts of train/layout.py.

`dp2`: tokens/s of two gloo processes of one thread, data parallel, over one process of two threads, the same model of
10.7 M parameters (GPT-2's shape, 6 layers of 384 channels, 256 tokens a row) and the same rows a step; in turns, the
median of the rounds. `zero_memory`: bytes of optimizer states on the rank that has most under ZeRO, over 1/N of them.

    python benchmarks/scale.py [--rounds 5] [--steps 4] [--ranks 4]

It wants the machine to itself.
"""

import argparse
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from plain import rows_of
from torch.distributed.tensor import DTensor

from hornbook.core.machine import keep_freed_memory
from hornbook.core.run import Run
from hornbook.core.stop import Stop
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.embed import Tokens
from hornbook.model.mlp import MLP
from hornbook.model.position import Learned
from hornbook.model.stack import Stack
from hornbook.objective.language import NextToken
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.layout import lay_out
from hornbook.train.loop import Trainer
from hornbook.train.mesh import Mesh
from hornbook.train.parallel import Ranks

LENGTH, ROWS, VOCAB = 256, 16, 65  # nanoGPT's Shakespeare model, 10.7 M parameters


class Deaf:
    """Nobody listens."""

    def step(self, *_: Any) -> None: ...

    validated = sampled = note = step


def model() -> torch.nn.Module:
    """The model that is trained."""
    layer = (Attention(heads=6, bias=True, output_bias=True), MLP(hidden=1536, bias=True))
    stack = Stack(layers=6, layer=layer, position=Learned())
    return Decoder(dim=384, length=LENGTH, embed=Tokens(vocab=VOCAB), stack=stack).build()


def trainer(ranks: Ranks, mesh: Mesh | None, folder: Path) -> Trainer:
    """A training that is never over while it is measured."""
    built = model()
    layout = lay_out(ranks, mesh, built)
    config = Train(steps=1_000_000, rows_per_step=ROWS, guard=None, save_every=1_000_000)
    ids = np.random.default_rng(0).integers(VOCAB, size=1_000_000, dtype=np.uint16)
    job = Job(model=built, objective=NextToken(), source=rows_of(ids, LENGTH, seed=0))
    return Trainer(config, job, Run(folder), listener=Deaf(), ranks=layout)


def wait_for_turns(pipe: Any, place: tuple[int, int, Path], threads: int) -> None:
    """A process that trains `steps` whenever it is told how many."""
    rank, world, folder = place
    torch.set_num_threads(threads)
    keep_freed_memory()
    if world > 1:
        dist.init_process_group("gloo", store=dist.FileStore(str(folder / "store"), world), rank=rank, world_size=world)
    mesh = Mesh(data=world) if world > 1 else None
    trained = trainer(Ranks(rank, world), mesh, folder / "run")
    with Stop() as stop:
        trained._step(stop)
        while steps := pipe.recv():
            began = time.perf_counter()
            for _ in range(steps):
                trained._step(stop)
            pipe.send(time.perf_counter() - began)


def group(world: int, threads: int, folder: Path) -> list[Any]:
    """Pipes to the processes of one layout."""
    folder.mkdir()
    pipes, spawn = [], get_context("spawn")
    for rank in range(world):
        here, there = spawn.Pipe()
        spawn.Process(target=wait_for_turns, args=(there, (rank, world, folder), threads), daemon=True).start()
        pipes.append(here)
    return pipes


def turn(pipes: list[Any], steps: int) -> float:
    """Tokens a second of one turn."""
    for pipe in pipes:
        pipe.send(steps)
    return steps * ROWS * LENGTH / max(pipe.recv() for pipe in pipes)


def two_against_one(folder: Path, rounds: int, steps: int) -> None:
    """`figure dp2`."""
    both = {"1 process x 2 threads": group(1, 2, folder / "one"), "2 processes x 1 thread": group(2, 1, folder / "two")}
    speeds: dict[str, list[float]] = {name: [] for name in both}
    for _ in range(rounds):
        for name, pipes in both.items():
            speeds[name].append(turn(pipes, steps))
    for name, pipes in both.items():
        print(f"{name:<24} {median(speeds[name]):8.0f} tokens/s ({min(speeds[name]):.0f} to {max(speeds[name]):.0f})")
        for pipe in pipes:
            pipe.send(0)
    one, two = speeds.values()
    print(f"figure dp2 {median(b / a for a, b in zip(one, two, strict=True)):.3f}")


def count_bytes(pipe: Any, place: tuple[int, int, Path], zero: int) -> None:
    """Bytes of this rank's optimizer states after a step."""
    rank, world, folder = place
    torch.set_num_threads(1)
    dist.init_process_group("gloo", store=dist.FileStore(str(folder / "store"), world), rank=rank, world_size=world)
    trained = trainer(Ranks(rank, world), Mesh(shard=world, zero=zero), folder / f"run-{rank}")  # type: ignore[arg-type]
    with Stop() as stop:
        trained._step(stop)
    states = trained.optimizer.state_tensors().values()
    pipe.send(sum(each.to_local().nbytes if isinstance(each, DTensor) else each.nbytes for each in states))
    dist.barrier()


def shares(folder: Path, world: int) -> None:
    """`figure zero_memory`: the worst of the three stages."""
    spawn, worst = get_context("spawn"), 0.0
    ideal = 8 * sum(parameter.numel() for parameter in model().parameters()) / world
    for zero in (1, 2, 3):
        here = folder / f"zero-{zero}"
        here.mkdir()
        pipes = [spawn.Pipe() for _ in range(world)]
        ranks = [
            spawn.Process(target=count_bytes, args=(pipe[1], (rank, world, here), zero), daemon=True)
            for rank, pipe in enumerate(pipes)
        ]
        for rank in ranks:
            rank.start()
        found = max(pipe[0].recv() for pipe in pipes)
        for rank in ranks:
            rank.join()
        print(
            f"ZeRO {zero}, {world} ranks: {found / 2**20:.2f} MiB of optimizer states, 1/{world} is {ideal / 2**20:.2f}"
        )
        worst = max(worst, found / ideal)
    print(f"figure zero_memory {worst:.4f}")


def main() -> None:
    """Both figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--steps", type=int, default=4, help="of a turn")
    options.add_argument("--ranks", type=int, default=4, help="that share optimizer states")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        two_against_one(Path(folder), given.rounds, given.steps)
        shares(Path(folder), given.ranks)


if __name__ == "__main__":
    main()
