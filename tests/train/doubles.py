"""A real but tiny language model and a made-up text, for tests of the loop that need no tokenizer and no files."""

from dataclasses import dataclass

import torch
from torch import nn

from hornbook.core.run import Row
from hornbook.data.batches import Batch
from hornbook.objective.language import NextToken
from hornbook.train.job import Job

VOCAB = 17


@dataclass
class Output:
    hidden: torch.Tensor
    balance: None = None


class Bigram(nn.Module):
    """A table, a hidden layer and a head: it can learn which token follows which."""

    def __init__(self, seed: int = 0, dropout: float = 0.0):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.embed, self.layer = nn.Embedding(VOCAB, 12), nn.Linear(12, 12, bias=True)
            self.head = nn.Linear(12, VOCAB, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, input_ids, *, document_ids=None, positions=None, logits=True):
        return Output(self.dropout(torch.tanh(self.layer(self.embed(input_ids)))))


class Counting:
    """Rows that count upwards from a start drawn by (seed, row); some labels are untrained."""

    length = 8
    rows_per_epoch = 64

    def __init__(self, seed: int = 0, poison: tuple[int, ...] = ()):
        self.seed, self.poison = seed, poison

    def row(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        draw = torch.Generator().manual_seed(self.seed * 100_003 + number)
        start, trained = (int(torch.randint(n, (), generator=draw)) for n in (VOCAB, 7))
        ids = (start + torch.arange(self.length + 1)) % VOCAB
        if number in self.poison:
            ids = torch.randint(VOCAB, (self.length + 1,), generator=draw)
        labels = ids[1:].clone()
        labels[:trained] = -100
        return ids[:-1], labels

    def batch(self, first_row: int, rows: int) -> Batch:
        pairs = [self.row(number) for number in range(first_row, first_row + rows)]
        return Batch(torch.stack([ids for ids, _ in pairs]), torch.stack([labels for _, labels in pairs]))

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        return [[f"row-{number}"] for number in range(first_row, first_row + rows)]


def job(**changes) -> Job:
    return Job(**{"model": Bigram(), "objective": NextToken(), "source": Counting(), "seed": 3, **changes})


class Ears:
    """A listener that remembers."""

    def __init__(self):
        self.steps: list[Row] = []
        self.validations: list[Row] = []
        self.notes: list[str] = []

    def step(self, row, total, seconds_left):
        self.steps.append(row)

    def validated(self, row):
        self.validations.append(row)

    def sampled(self, rows):
        pass

    def note(self, text):
        self.notes.append(text)
