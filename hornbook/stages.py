"""A training stage: threads, device and compiler are chosen, the loop runs, the model's folder is written."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from hornbook import __version__
from hornbook.console import Console, layout
from hornbook.core import device as machine
from hornbook.core.errors import UserError
from hornbook.core.files import read_json, write_json
from hornbook.core.machine import compiler, keep_freed_memory
from hornbook.core.run import Run
from hornbook.model.stack import LayerStack
from hornbook.questions import asking
from hornbook.train.config import Train
from hornbook.train.heartbeat import Heartbeat
from hornbook.train.job import Job, Progress
from hornbook.train.layout import lay_out
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks


@dataclasses.dataclass(frozen=True)
class Stage:
    """What is trained, how, and where it is written."""

    name: str
    config: Train
    job: Callable[[], Job]
    home: Run
    says: Callable[[Job], str] = lambda _: ""
    """A line about the rows, once they are read; "" where there is nothing to say."""


def train_stage(stage: Stage, console: Console, ranks: Ranks) -> None:
    """Train and save; every process of a data-parallel training comes here, the first one writes."""
    config = stage.config
    threads = config.threads or max(1, machine.physical_cores() // ranks.world)
    torch.set_num_threads(threads)
    keep_freed_memory()
    choice = machine.choose(precision=config.precision)
    if choice.device == "cuda":
        torch.cuda.set_device(ranks.rank % torch.cuda.device_count())
    with in_turn(ranks):  # the first to come may write a packing plan
        job = stage.job()
    if config.questions is not None and ranks.first:
        job = dataclasses.replace(job, ask=asking(config.questions, job.lm))
    model = job.model.to(choice.device)
    for stack in (module for module in model.modules() if isinstance(module, LayerStack)):
        stack.checkpoint = config.checkpoint_layers
    compiled = _compile(config, model, choice.device)
    threads_in_all = threads * ranks.world
    peak = 1e9 * machine.peak_gflops(threads_in_all, choice.precision, device=choice.device) if ranks.first else 0.0
    job = dataclasses.replace(job, peak_flops=peak)
    if ranks.first:
        console.note(_introduction(stage.name, model, choice, layout(ranks.world, threads), compiled))
        if said := stage.says(job):
            console.note(f"{stage.name:<10} {said}")
    progress = _fit(stage, job, console, ranks, choice.precision)
    console.close()
    if ranks.first:
        _remember(stage.home, job, progress)


def _fit(stage: Stage, job: Job, console: Console, ranks: Ranks, precision: str) -> Progress:
    """The loop, in every rank on its part of the model; the whole model is there again when it is done."""
    laid_out = _lay_out(ranks, stage.config, job.model)
    trainer = Trainer(stage.config, job, stage.home, listener=console, ranks=laid_out, precision=precision)
    beats = stage.home.folder / "heartbeats"
    with Heartbeat(beats, ranks, lambda: trainer.progress.step, seconds=stage.config.patience):
        progress = trainer.fit()
    laid_out.assemble(job.model)
    return progress


def _lay_out(ranks: Ranks, config: Train, model: nn.Module) -> Ranks:
    """Every rank gets its part of the model, once all have said that they train the same one."""
    ranks.agree(repr((__version__, torch.__version__, config, getattr(model, "config", None))))
    if config.mesh is not None and config.mesh.cell > 1 and (config.sample_every or config.evaluate_every):
        raise UserError(
            "mesh: no process holds the whole model, so none can write samples or answer questions while it is "
            "trained; set sample_every and evaluate_every to 0"
        )
    return lay_out(ranks, config.mesh, model)


@contextmanager
def in_turn(ranks: Ranks) -> Iterator[None]:
    """The first process goes first, the others when it is done."""
    if not ranks.first:
        ranks.wait()
    yield
    if ranks.first:
        ranks.wait()


def _compile(config: Train, model: nn.Module, device: str) -> str:
    """Compile the model where it pays; what was decided and why."""
    if config.compile == "no":
        return "eager (as asked)"
    if config.compile == "auto" and device == "cpu":
        return "eager (compile: yes to try the compiler, which takes a minute or so first)"
    if compiler() is None:
        return "eager (torch.compile needs a C++ compiler)"
    model.compile()
    return "compiled"


def _introduction(stage: str, model: nn.Module, choice: machine.Choice, place: str, how: str) -> str:
    every = sum(parameter.numel() for parameter in model.parameters())
    learning = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    some = "" if learning == every else f", {learning / 1e6:.2f} M of them learn"
    return f"{stage:<10} {every / 1e6:.2f} M parameters{some} on {choice.device}, {choice.precision}, {place}, {how}"


def _remember(home: Run, job: Job, progress: Progress) -> None:
    """The trained model, and what training came to, for the report."""
    assert job.save is not None, "every stage of a recipe says how its model is written"
    job.save(home.model)
    parameters = sum(parameter.numel() for parameter in job.model.parameters())
    path = home.folder / "training.json"
    before = read_json(path) if path.exists() else {}
    now = {"parameters": parameters, "steps": progress.step, "tokens": progress.tokens, "seconds": progress.seconds}
    write_json(path, {**before, **now})
