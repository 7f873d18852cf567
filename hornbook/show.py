"""`hornbook show RECIPE`: every value with where it comes from, the model's parts, and what training will take here.

Time is measured where the model is small enough to try (three steps on made-up tokens), and estimated from this
machine's matrix-multiply peak where it is not; which of the two it was is said.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from hornbook.console import layout, short, span
from hornbook.core import device as machine
from hornbook.core import recipe as recipes
from hornbook.core.machine import memory
from hornbook.core.table import print_table
from hornbook.model.cost import cost, training_flops
from hornbook.optim.groups import clip
from hornbook.settings import Recipe, Tuning, lent, open_recipe, plain
from hornbook.show_model import is_model, print_parts, print_values, show_model, stacks
from hornbook.tasks import made_up, row_tokens
from hornbook.train.config import Train
from hornbook.train.horizon import seconds
from hornbook.train.job import MICRO_BATCH_TOKENS
from hornbook.train.parallel import processes_here

TRIED_SHARE = 0.25  # of the free memory: a model whose training needs more is not tried, only computed
TRIED_SECONDS = 20.0  # a step that would take longer is not tried either
USUAL_MFU = 0.4  # share of the peak; an assumption, said as such where it is used
GIB = 2**30


@dataclass(frozen=True)
class Pace:
    """Seconds of a step, and how they were found."""

    seconds: float
    how: str


def show_recipe(source: str, overrides: Sequence[str]) -> None:
    """Print a recipe of a run, or of a model alone."""
    data = recipes.read(recipes.find(source))
    if is_model(data):
        show_model(source, overrides)
        return
    recipe, given = open_recipe(source, overrides), plain(source, overrides)
    print_values(recipe, data, overrides, lent(given))
    if isinstance(recipe, Tuning):
        return  # what its stages cost is known when the base is there
    print_parts(cost(recipe.model))
    _print_plan(recipe)


def _print_plan(recipe: Recipe) -> None:
    """Memory, operations and time of pretraining on this machine."""
    config = recipe.pretrain
    parameters = cost(recipe.model).parameters
    need = training_bytes(recipe, parameters)
    pace = measure_pace(recipe, need)
    print_table(("pretraining", "here"), list(_plan_rows(recipe, config, parameters, need, pace)))


def _plan_rows(
    recipe: Recipe, config: Train, parameters: int, need: dict[str, int], pace: Pace
) -> Iterator[tuple[str, str]]:
    choice = machine.choose(precision=config.precision)
    per_step = config.tokens_per_step
    if config.budget is not None:
        steps = int(seconds(config.budget) / pace.seconds)
    elif config.steps is not None:
        steps = config.steps
    else:
        steps = (config.tokens or 0) // per_step
    yield "device", f"{choice.device}, {choice.precision}: {choice.reason}"
    for name, size in need.items():
        yield f"memory, {name}", f"{size / GIB:.2f} GiB" if size > GIB / 10 else f"{size / 2**20:.1f} MiB"
    rows = micro_rows(recipe)
    yield (
        "rows at once",
        f"{rows} of {row_tokens(recipe.data)} tokens" + ("" if config.micro_batch else " (about 4,096 tokens)"),
    )
    yield "layout", layout(processes_here(config.processes), threads_each(config))
    yield "a step", f"{per_step:,} tokens, {pace.seconds:.2f} s ({pace.how})"
    if steps:
        tokens = steps * per_step
        flops = tokens * training_flops(recipe.model, recipe.data.length)
        yield (
            "the run",
            f"{steps:,} steps, {short(tokens)} tokens, {tokens / parameters:.1f} a parameter, {flops:.1e} FLOPs",
        )
        yield "time", span(steps * pace.seconds) if config.budget is None else f"{config.budget}, as asked"
    else:
        yield "the run", f"{config.epochs} epochs: the number of steps is known when the corpus is tokenized"


def training_bytes(recipe: Recipe, parameters: int) -> dict[str, int]:
    """Memory of training by part, in bytes, fp32; activations are the sum of what each layer keeps for going back."""
    config, model = recipe.pretrain, recipe.model
    tokens, layers = micro_rows(recipe) * row_tokens(recipe.data), sum(stack.layers for stack in stacks(model))
    widths = sum(
        part.parameters // max(model.dim, 1) * times
        for part, times in cost(model).parts.items()
        if part.cache or "mlp" in part.name
    )
    kept = 2 * model.dim * layers if config.checkpoint_layers else 2 * widths
    parts = {
        "weights": 4 * parameters,
        "gradients": 4 * parameters,
        "optimizer": 8 * parameters,
        "activations": 4 * tokens * kept,
        "logits of a chunk": 3 * 4 * 1024 * model.vocab,
    }
    return {**parts, "together": sum(parts.values())}


def micro_rows(recipe: Recipe) -> int:
    """Rows that go through the model at once."""
    config, length = recipe.pretrain, row_tokens(recipe.data)
    return min(config.micro_batch or MICRO_BATCH_TOKENS // length, config.tokens_per_step // length) or 1


def threads_each(config: Train) -> int:
    """Threads of each process."""
    return config.threads or max(1, machine.physical_cores() // processes_here(config.processes))


def measure_pace(recipe: Recipe, need: dict[str, int]) -> Pace:
    """Seconds of an optimizer step on this machine."""
    config = recipe.pretrain
    threads = threads_each(config)
    flops = training_flops(recipe.model, recipe.data.length) * config.tokens_per_step
    peak = 1e9 * machine.peak_gflops(threads * processes_here(config.processes), seconds=0.3)
    guess = flops / (USUAL_MFU * peak)
    if need["together"] > TRIED_SHARE * memory().available or guess > TRIED_SECONDS:
        return Pace(guess, f"computed at {USUAL_MFU:.0%} of {peak / 1e9:.0f} GFLOP/s")
    torch.set_num_threads(threads)
    return Pace(_try(recipe) / processes_here(config.processes), "measured on three steps")


def _try(recipe: Recipe) -> float:
    """The best of three optimizer steps on made-up rows, in one process."""
    config, length = recipe.pretrain, row_tokens(recipe.data)
    model = recipe.model.build(torch.Generator().manual_seed(0))
    optimizer, objective = config.optimizer.build(model), recipe.objective
    rows = micro_rows(recipe)
    passes = max(1, config.tokens_per_step // (rows * length))
    precision = machine.choose(precision=config.precision).precision
    taken = []
    for _ in range(3):
        began = time.monotonic()
        for _ in range(passes):
            batch = made_up(recipe.data, recipe.model, rows)
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                loss = objective(model, batch)
            loss.sum.backward()  # type: ignore[no-untyped-call]  # torch's
        clip(model.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad()
        taken.append(time.monotonic() - began)
    return min(taken)
