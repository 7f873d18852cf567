"""How fast is a training step? hornbook's Trainer, transformers and a plain loop at the same three GPT-2 shapes.

All train the same GPT-2 (layer norm, biases, exact GELU, tied head, fused AdamW, gradients clipped to 1) on the same
rows, eager. First with one thread each, taking turns in one process: A B C A B C ...; a turn is a step and counts CPU
seconds (`figure thread_...`). Then each in its own best layout of threads and processes, by the wall clock (layouts.py;
`figure train_...`). Ours is a whole step of `Trainer`: it reads its rows, watches for spikes and writes its line to
metrics.jsonl.

    python benchmarks/train_speed.py [--shapes a b c] [--threads 1 2] [--precision fp32 bf16] [--rounds 8] [--turns 9]

Figures are ours over the best peer's, in fp32 and, with `_bf16`, in bf16. MFU is the share of the best matrix product
this machine shows beside the run; its operations are counted by hornbook/model/cost.py. What a step frees is kept by
the process, as in every stage of hornbook, for all three alike while they share one.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import layouts
import numpy as np
import torch
from plain import Ear, PlainGPT, adamw, rows_of, train_step
from transformers import GPT2Config, GPT2LMHeadModel

from hornbook.core.device import cpu_has_bf16, peak_gflops
from hornbook.core.machine import keep_freed_memory
from hornbook.core.run import Run, processor
from hornbook.core.stop import Stop
from hornbook.data.batches import WindowSource
from hornbook.model.attention import Attention
from hornbook.model.cost import cost, training_flops
from hornbook.model.decoder import Decoder
from hornbook.model.embed import Tokens
from hornbook.model.mlp import MLP
from hornbook.model.position import Learned
from hornbook.model.stack import Stack
from hornbook.objective.language import NextToken
from hornbook.optim.adamw import AdamW
from hornbook.optim.schedule import Constant
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks

LR, BETA2 = 1e-3, 0.95
ENOUGH = 1_000_000  # steps: the run is never over while it is measured


@dataclass(frozen=True)
class Shape:
    """A GPT-2 and its batch."""

    figure: str
    layers: int
    dim: int
    heads: int
    length: int
    rows: int
    vocab: int

    @property
    def tokens(self) -> int:
        return self.rows * self.length

    def decoder(self) -> Decoder:
        attention = Attention(heads=self.heads, bias=True, output_bias=True)
        layer = (attention, MLP(hidden=4 * self.dim, activation="gelu", bias=True))
        stack = Stack(layers=self.layers, layer=layer, position=Learned())
        return Decoder(dim=self.dim, length=self.length, embed=Tokens(vocab=self.vocab), stack=stack)


SHAPES = {
    "a": Shape("0.8M", layers=4, dim=128, heads=4, length=64, rows=12, vocab=65),
    "b": Shape("10.7M", layers=6, dim=384, heads=6, length=256, rows=16, vocab=65),
    "c": Shape("30M", layers=8, dim=512, heads=8, length=256, rows=8, vocab=16384),
    "tiny": Shape("tiny", layers=1, dim=16, heads=2, length=8, rows=2, vocab=65),
}
Step = Callable[[], float]  # takes one optimizer step and returns its loss, nats per token


def main() -> None:
    """Measure every shape, number of threads and precision that was asked for."""
    options = read_options()
    print(f"{processor()}, torch {torch.__version__}")
    for precision in options.precision:
        if precision == "bf16" and not cpu_has_bf16():
            print("bf16: this chip has no units for it")
            continue
        for name in options.shapes:
            for threads in options.threads:
                ratio, mfu = compare(SHAPES[name], threads, precision, options)
                figure = SHAPES[name].figure + ("_bf16" if precision == "bf16" else "")
                if threads == options.threads[0]:
                    print(f"figure thread_{figure} {ratio:.3f}", flush=True)
                    if name == "b":
                        print(f"figure mfu_{figure} {mfu:.3f}", flush=True)
            if options.turns:
                print(f"\n{SHAPES[name].figure}, {precision}, layouts (processes x threads):")
                best = layouts.compare(name, SHAPES[name].tokens, precision, options.turns)
                print(f"figure train_{figure} {best:.3f}", flush=True)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", default=["a", "b", "c"], choices=SHAPES, help="a b c")
    parser.add_argument("--threads", nargs="+", type=int, default=[1], help="1")
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"], choices=("fp32", "bf16"), help="fp32 bf16")
    parser.add_argument("--rounds", type=int, default=8, help="steps of each contestant, at shape a ten times as many")
    parser.add_argument("--turns", type=int, default=9, help="of each layout, two seconds each; 0: none")
    parser.add_argument("--seconds", type=float, default=0.7, help="to look for the best matrix product (0.7)")
    parser.add_argument("--tiny", action="store_true", help="two steps of a toy, to see that it runs")
    options = parser.parse_args()
    if options.tiny:
        options.shapes, options.rounds, options.seconds, options.precision, options.turns = (
            ["tiny"],
            2,
            0.01,
            ["fp32"],
            1,
        )
    return options


def compare(shape: Shape, threads: int, precision: str, options: argparse.Namespace) -> tuple[float, float]:
    """Print a table; our speed over that of the best peer, and our share of the machine's peak."""
    torch.set_num_threads(threads)
    rounds = options.rounds * (10 if shape.tokens < 1024 else 1)
    with tempfile.TemporaryDirectory() as folder:
        seconds, losses = take_turns(contestants(shape, precision, Path(folder)), rounds)
    flops, parameters = training_flops(shape.decoder()), cost(shape.decoder()).parameters
    peak = peak_gflops(threads, "bf16" if precision == "bf16" else "fp32", seconds=options.seconds) * 1e9 / threads
    print(f"\n{parameters / 1e6:.1f} M, {shape.rows} x {shape.length}, {threads} threads, {precision}; ", end="")
    print(f"peak {peak / 1e9:.0f} GFLOP/s a thread; {rounds} rounds")
    speeds = {name: shape.tokens / median(spent) for name, spent in seconds.items()}
    for name, spent in seconds.items():
        low, _, high = quantiles([shape.tokens / each for each in spent], n=4)
        mfu = speeds[name] * flops / peak
        middle = f"{speeds[name]:8.0f} tokens per CPU-s (quartiles {low:.0f} to {high:.0f})"
        print(f"  {name:14}{middle}  mfu {mfu:.3f}  last loss {losses[name]:.3f}", flush=True)
    ours = speeds.pop("hornbook")
    return ours / max(speeds.values()), ours * flops / peak


def take_turns(steps: dict[str, Step], rounds: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """CPU seconds of every step, and the last losses; each contestant warms up with two steps."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    losses = {}
    for turn in range(-2, rounds):
        for name, step in steps.items():
            started_at = time.process_time()
            losses[name] = step()
            if turn >= 0:
                seconds[name].append(time.process_time() - started_at)
    return seconds, losses


def contestants(shape: Shape, precision: str, folder: Path) -> dict[str, Step]:
    """Everybody at the start, with the same rows before them."""
    keep_freed_memory()
    steps: dict[str, Step] = {"hornbook": hornbook_step(shape, precision, folder)}
    return steps | {name: peer_step(model, shape, precision) for name, model in peers(shape).items()}


def peers(shape: Shape) -> dict[str, torch.nn.Module]:
    """The others' models, with fresh weights."""
    torch.manual_seed(0)
    size = {"vocab": shape.vocab, "length": shape.length, "layers": shape.layers, "dim": shape.dim}
    return {"plain loop": PlainGPT(**size, heads=shape.heads), "transformers": transformers_gpt2(shape)}


def transformers_gpt2(shape: Shape) -> GPT2LMHeadModel:
    """Its default activation, tanh GELU written out, would be slower: this one is spared that."""
    config = GPT2Config(
        vocab_size=shape.vocab,
        n_positions=shape.length,
        n_embd=shape.dim,
        n_layer=shape.layers,
        n_head=shape.heads,
        activation_function="gelu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        use_cache=False,
        bos_token_id=None,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(config).train()


def peer_step(model: torch.nn.Module, shape: Shape, precision: str, rows: int | None = None) -> Step:
    """The plain training step around a model, on so many rows."""
    optimizer, read, many = adamw(model, lr=LR, beta2=BETA2), source(shape), rows or shape.rows
    first = 0

    def step() -> float:
        nonlocal first
        batch = read.batch(first, many)
        first += many
        return train_step(model, optimizer, batch.input_ids, batch.labels, precision=precision)

    return step


def hornbook_step(shape: Shape, precision: str, folder: Path, *, rank: int = 0, world: int = 1) -> Step:
    """A step of the trainer. Its own `fit` would not let others take a turn."""
    how = {"optimizer": AdamW(lr=LR, beta2=BETA2), "schedule": Constant(), "processes": world}
    config = Train(steps=ENOUGH, tokens_per_step=shape.tokens, **how)
    job = Job(model=shape.decoder().build(), objective=NextToken(), source=source(shape))
    ear = Ear()
    trainer = Trainer(config, job, Run(folder), listener=ear, ranks=Ranks(rank, world), precision=precision)
    stop = Stop()

    def step() -> float:
        trainer._step(stop)
        return ear.loss

    return step


def source(shape: Shape) -> WindowSource:
    """Made-up ids with Zipf's frequencies: what they say does not change the work."""
    draws = np.random.default_rng(0).zipf(1.3, size=200_000) % shape.vocab
    return rows_of(draws.astype(np.uint16), shape.length, seed=0)


if __name__ == "__main__":
    main()
