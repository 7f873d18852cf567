"""The training stages: what is trained on what, and the folder the model is saved to."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from hornbook.console import Console
from hornbook.core import device as machine
from hornbook.core.files import read_json, write_json
from hornbook.core.machine import compiler
from hornbook.core.run import Run
from hornbook.data.images import ImageRows
from hornbook.data.instruction import InstructionRows
from hornbook.data.marks import marks
from hornbook.data.pairs import PairRows
from hornbook.exchange import folder as exchange
from hornbook.generate.language_model import LanguageModel
from hornbook.jobs import instruction, pretraining
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.models import AnyModel
from hornbook.model.stack import LayerStack
from hornbook.samples import sampler
from hornbook.settings import Recipe
from hornbook.text.chat import Renderer
from hornbook.text.tokenizer import Tokenizer
from hornbook.text.tokenizer import load as load_tokenizer
from hornbook.train.config import Train
from hornbook.train.job import Job, Progress
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks


def train_stage(recipe: Recipe, stage: str, run: Run, console: Console, ranks: Ranks) -> None:
    """Train and save; every process of a data-parallel training comes here, the first one writes."""
    config = recipe.stage(stage)
    threads = config.threads or max(1, machine.physical_cores() // ranks.world)
    torch.set_num_threads(threads)
    choice = machine.choose(precision=config.precision)
    if choice.device == "cuda":
        torch.cuda.set_device(ranks.rank % torch.cuda.device_count())
    tokenizer = None if recipe.tokenizer is None else load_tokenizer(run.tokenizer)
    with in_turn(ranks):  # the first to come may write a packing plan
        job = _job(recipe, stage, run, tokenizer)
    model: AnyModel = job.model.to(choice.device)  # type: ignore[assignment]  # a job's model is one of ours
    for stack in (module for module in model.modules() if isinstance(module, LayerStack)):
        stack.checkpoint = config.checkpoint_layers
    compiled = _compile(config, model, choice.device)
    threads_in_all = threads * ranks.world
    peak = 1e9 * machine.peak_gflops(threads_in_all, choice.precision, device=choice.device) if ranks.first else 0.0
    sample = sampler(model, tokenizer, config.prompts, job.validation, run)
    job = dataclasses.replace(job, peak_flops=peak, sample=sample)
    home = run if stage == "pretrain" else run.stage(stage)
    if ranks.first:
        console.note(_introduction(stage, model, choice, _layout(threads, ranks), compiled))
        if left_out := _left_out(recipe, job):
            console.note(left_out)
    trainer = Trainer(config, job, home, listener=console, ranks=ranks, precision=choice.precision)
    progress = trainer.fit()
    console.close()
    if ranks.first:
        _save(model, tokenizer, job, home, stage)
        _remember(home, model, progress)


def _job(recipe: Recipe, stage: str, run: Run, tokenizer: Tokenizer | None) -> Job:
    if stage == "pretrain":
        return pretraining(recipe, run, tokenizer)
    assert tokenizer is not None, "only images come without a tokenizer, and they have one stage"
    return instruction(recipe, run, tokenizer)


def _save(model: AnyModel, tokenizer: Tokenizer | None, job: Job, home: Run, stage: str) -> None:
    """Write the model's folder, with what others need to know to use it."""
    if tokenizer is None:
        names = job.source.classes if isinstance(job.source, ImageRows) else []
        exchange.save(model, home.model, extra={"id2label": {str(i): name for i, name in enumerate(names)}})
        return
    if isinstance(model, EncoderDecoderModel):
        signs = marks(tokenizer)
        model.token_ids = {"decoder_start_token_id": signs.pad, "pad_token_id": signs.pad, "eos_token_id": signs.end}
    renderer = Renderer(tokenizer) if stage == "finetune" else None
    LanguageModel(model, tokenizer, renderer).save(home.model)


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


def _introduction(stage: str, model: nn.Module, choice: machine.Choice, layout: str, how: str) -> str:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return f"{stage:<10} {parameters / 1e6:.2f} M parameters on {choice.device}, {choice.precision}, {layout}, {how}"


def _layout(threads: int, ranks: Ranks) -> str:
    each = f"{threads} thread" + "s" * (threads > 1)
    return f"{ranks.world} processes of {each}" if ranks.world > 1 else each


def _left_out(recipe: Recipe, job: Job) -> str:
    """How many rows there are to learn from, and what became of those that are too long."""
    source = job.source
    if isinstance(source, InstructionRows):
        assert recipe.instruct is not None
        fate = "left out" if recipe.instruct.long == "drop" else "cut"
        rows = f"finetune   {len(source.rows):,} conversations"
        return f"{rows}; {source.long:,} longer than {source.length} tokens were {fate}"
    if isinstance(source, PairRows):
        fate = "left out" if source.config.long == "drop" else "cut"
        rows = f"pretrain   {len(source.pairs):,} pairs"
        return f"{rows}; {source.long:,} longer than {source.config.length} tokens were {fate}"
    return ""


def _remember(home: Run, model: nn.Module, progress: Progress) -> None:
    """What training came to, for the report."""
    parameters = sum(parameter.numel() for parameter in model.parameters())
    path = home.folder / "training.json"
    before = read_json(path) if path.exists() else {}
    now = {"parameters": parameters, "steps": progress.step, "tokens": progress.tokens, "seconds": progress.seconds}
    write_json(path, {**before, **now})
