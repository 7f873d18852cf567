"""Tiny models of four kinds, trained for some steps in any layout, for tests that compare the losses."""

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hornbook.core import recipe
from hornbook.core.run import Run
from hornbook.data.batches import Batch
from hornbook.model.attend import Attend
from hornbook.model.models import AnyModel, Model
from hornbook.objective.language import NextToken
from hornbook.objective.masked import MaskedTokens
from hornbook.objective.sequence_to_sequence import SequenceToSequence
from hornbook.optim.adamw import AdamW
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.layout import lay_out
from hornbook.train.loop import Trainer
from hornbook.train.mesh import Mesh
from hornbook.train.parallel import Ranks
from tests.train.doubles import Ears
from tests.train.ranks import run

STEPS = 20
KINDS = ("gpt2", "llama", "bert", "t5")
OBJECTIVES = {"bert": MaskedTokens(), "t5": SequenceToSequence()}


class Made:
    """Rows drawn from (seed, row), of as many trained places as the row's number says."""

    rows_per_epoch = 1000

    def __init__(self, kind: str, *, length: int = 16, vocab: int = 131):
        self.kind, self.length, self.vocab = kind, length, vocab
        self.tokens_per_row = float(length)

    def batch(self, first_row: int, rows: int) -> Batch:
        pairs = [self.row(number) for number in range(first_row, first_row + rows)]
        ids, labels = (torch.stack(each) for each in zip(*pairs, strict=True))
        if self.kind == "t5":
            return Batch(ids, labels, decoder_input_ids=labels.clamp(min=0).roll(1, 1))
        return Batch(ids, labels)

    def row(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        draw = torch.Generator().manual_seed(7 + number % 16)
        ids = torch.randint(self.vocab, (self.length + 1,), generator=draw)
        labels = ids[1:].clone()
        labels[: number % 5] = -100
        return ids[:-1], labels

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        return [[f"row-{number}"] for number in range(first_row, first_row + rows)]


def still(kind: str, seed: int = 0) -> AnyModel:
    """A model that drops nothing."""
    model: AnyModel = recipe.load(Model, f"models/{kind}-tiny").build(torch.Generator().manual_seed(seed))  # type: ignore[arg-type]
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, Attend):
            module.dropout = 0.0
    return model


def trainer(kind: str, mesh: Mesh | None, folder: Path, more: dict[str, Any]) -> Trainer:
    """A training of this rank; `more` are fields of `Train`, and `precision` of the loop, `length` of a row."""
    more = {"steps": STEPS, "rows_per_step": 8, "micro_batch": 2, "optimizer": AdamW(lr=3e-3), **more}
    precision, source = more.pop("precision", "fp32"), Made(kind, length=more.pop("length", 16))
    model, world = still(kind), int(torch.distributed.get_world_size()) if torch.distributed.is_initialized() else 1
    ranks = Ranks(torch.distributed.get_rank(), world) if world > 1 else Ranks()
    layout = lay_out(ranks, mesh, model)
    job = Job(model=model, objective=OBJECTIVES.get(kind, NextToken()), source=source, validation=source)
    config = Train(validate_every=10, validation_rows=5, save_every=10, guard=None, mesh=mesh, **more)
    return Trainer(config, job, Run(folder), listener=Ears(), ranks=layout, precision=precision)


def train(kind: str, mesh: Mesh | None, more: dict[str, Any], folder: str) -> list[tuple[float, float]]:
    """(loss, gradient norm) of every step and (loss, 0) of every look, as this rank has them."""
    whole = trainer(kind, mesh, Path(folder), more)
    whole.fit()
    ears: Any = whole.listener
    steps = [(row["loss"], row["grad_norm"]) for row in ears.steps]
    return steps + [(row["validation_loss"], 0.0) for row in ears.validations]


def alone(kind: str, **more: Any) -> list[tuple[float, float]]:
    """The losses of one process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = train(kind, None, more, folder)
    torch.set_num_threads(threads)
    return found


def together(world: int, kind: str, mesh: Mesh, **more: Any) -> list[tuple[float, float]]:
    """The losses of `world` processes, as the first one records them."""
    with tempfile.TemporaryDirectory() as folder:
        found: list[tuple[float, float]] = run(world, train, kind, mesh, more, folder)[0]
    return found


def farthest(ours: list[tuple[float, float]], theirs: list[tuple[float, float]]) -> float:
    """The largest difference of two losses of one step."""
    assert len(ours) == len(theirs) > STEPS // 2
    return max(abs(a[0] - b[0]) for a, b in zip(ours, theirs, strict=True))
