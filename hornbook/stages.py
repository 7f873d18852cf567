"""The training stages: what is trained on what, and the folder the model is saved to."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

import torch
from torch import nn

from hornbook.console import Console
from hornbook.core import device as machine
from hornbook.core.files import read_json, write_json
from hornbook.core.machine import compiler
from hornbook.core.run import Row, Run
from hornbook.corpus.instruct import pairs
from hornbook.corpus.stored import stored, texts
from hornbook.data import shards
from hornbook.data.batches import Source
from hornbook.data.instruction import InstructionRows
from hornbook.exchange import folder as exchange
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.stream import Options
from hornbook.model.cost import training_flops
from hornbook.model.models import DecoderModel
from hornbook.objective.language import NextToken
from hornbook.settings import Recipe
from hornbook.text.chat import Renderer
from hornbook.text.tokenizer import Tokenizer
from hornbook.text.tokenizer import load as load_tokenizer
from hornbook.train.config import Train
from hornbook.train.job import Job, Progress
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks

SAMPLE_TOKENS = 96  # of a sample while training
BEGINNINGS = 3  # held-out documents whose first words samples begin with, where the recipe gives no prompts
BEGINNING = 48  # characters of them


def train_stage(recipe: Recipe, stage: str, run: Run, console: Console, ranks: Ranks) -> None:
    """Train and save; every process of a data-parallel training comes here, the first one writes."""
    config = recipe.stage(stage)
    threads = config.threads or max(1, machine.physical_cores() // ranks.world)
    torch.set_num_threads(threads)
    choice = machine.choose(precision=config.precision)
    if choice.device == "cuda":
        torch.cuda.set_device(ranks.rank % torch.cuda.device_count())
    tokenizer = load_tokenizer(run.tokenizer)
    with in_turn(ranks):  # the first to come may write a packing plan
        job = _pretraining(recipe, run, tokenizer) if stage == "pretrain" else _instruction(recipe, run, tokenizer)
    model = job.model.to(choice.device)
    assert isinstance(model, DecoderModel)
    model.stack.checkpoint = config.checkpoint_layers
    compiled = _compile(config, model, choice.device)
    threads_in_all = threads * ranks.world
    peak = 1e9 * machine.peak_gflops(threads_in_all, choice.precision, device=choice.device) if ranks.first else 0.0
    job = dataclasses.replace(job, peak_flops=peak, sample=_sampler(config.prompts or _beginnings(run), tokenizer))
    home = run if stage == "pretrain" else run.stage(stage)
    if ranks.first:
        console.note(_introduction(stage, model, choice, _layout(threads, ranks), compiled))
        if stage == "finetune" and isinstance(job.source, InstructionRows):
            console.note(_conversations(recipe, job.source))
    trainer = Trainer(config, job, home, listener=console, ranks=ranks, precision=choice.precision)
    progress = trainer.fit()
    console.close()
    if ranks.first:
        renderer = Renderer(tokenizer) if stage == "finetune" else None
        LanguageModel(model, tokenizer, renderer).save(home.model)
        _remember(home, model, progress)


def _pretraining(recipe: Recipe, run: Run, tokenizer: Tokenizer) -> Job:
    """Next-token prediction on the shards."""
    data = shards.load(run.shards, tokenizer=tokenizer.fingerprint)
    config = dataclasses.replace(recipe.model, embed=dataclasses.replace(recipe.model.embed, vocab=tokenizer.vocab))
    model = config.build(torch.Generator().manual_seed(recipe.seed))
    return Job(
        model=model,
        objective=NextToken(),
        source=recipe.data.build(data.train, seed=recipe.seed),
        validation=_held_out(recipe, data),
        seed=recipe.seed,
        bytes_per_token=data.train.bytes / data.train.tokens,
        flops_per_token=training_flops(config, recipe.data.length),
    )


def _held_out(recipe: Recipe, data: shards.Shards) -> Source | None:
    if data.validation.tokens <= recipe.data.length:
        return None  # too small for one window: the scores at the end still read it
    return recipe.data.build(data.validation, seed=recipe.seed)


def _instruction(recipe: Recipe, run: Run, tokenizer: Tokenizer) -> Job:
    """Answers to (signature, docstring) pairs from the corpus's own training part."""
    assert recipe.instruct is not None
    model = exchange.load(run.model, dtype=torch.float32)
    renderer = Renderer(tokenizer)
    sources = {
        split: recipe.instruct.build(pairs(stored(run.corpus, split)), renderer, seed=recipe.seed)
        for split in ("train", "validation")
    }
    return Job(
        model=model,
        objective=NextToken(),
        source=sources["train"],
        validation=sources["validation"],
        seed=recipe.seed,
        flops_per_token=training_flops(model.config, recipe.instruct.length),
    )


def has_pairs(run: Run) -> bool:
    """Whether the training text holds anything to instruct with: Python functions with a docstring."""
    return (
        next(pairs(stored(run.corpus, "train")), None) is not None
        and next(pairs(stored(run.corpus, "validation")), None) is not None
    )


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


def _beginnings(run: Run) -> tuple[str, ...]:
    """How a few held-out documents begin."""
    return tuple(text[:BEGINNING] for text in islice(texts(run.corpus, "validation"), BEGINNINGS))


def _sampler(prompts: tuple[str, ...], tokenizer: Tokenizer) -> Callable[[nn.Module], list[Row]] | None:
    def sample(model: nn.Module) -> list[Row]:
        assert isinstance(model, DecoderModel)
        lm = LanguageModel(model, tokenizer)
        settings: Options = {"max_new_tokens": SAMPLE_TOKENS, "temperature": 0.8, "top_p": 0.95, "seed": 0}
        return [{"prompt": prompt, "text": lm.generate(prompt, **settings)} for prompt in prompts]

    return sample if prompts else None


def _introduction(stage: str, model: nn.Module, choice: machine.Choice, layout: str, how: str) -> str:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return f"{stage:<10} {parameters / 1e6:.2f} M parameters on {choice.device}, {choice.precision}, {layout}, {how}"


def _layout(threads: int, ranks: Ranks) -> str:
    each = f"{threads} thread" + "s" * (threads > 1)
    return f"{ranks.world} processes of {each}" if ranks.world > 1 else each


def _conversations(recipe: Recipe, rows: InstructionRows) -> str:
    """How many there are to learn from, and what became of those that are too long."""
    assert recipe.instruct is not None
    fate = "left out" if recipe.instruct.long == "drop" else "cut"
    return f"finetune   {len(rows.rows):,} conversations; {rows.long:,} longer than {rows.length} tokens were {fate}"


def _remember(home: Run, model: nn.Module, progress: Progress) -> None:
    """What training came to, for the report."""
    parameters = sum(parameter.numel() for parameter in model.parameters())
    path = home.folder / "training.json"
    before = read_json(path) if path.exists() else {}
    now = {"parameters": parameters, "steps": progress.step, "tokens": progress.tokens, "seconds": progress.seconds}
    write_json(path, {**before, **now})
