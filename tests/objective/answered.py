"""Packed answers whose logits are given: any loss on them can be compared with any other implementation's."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from hornbook.data.preference_rows import AnswerBatch, ComparisonRows, Shelf
from hornbook.data.rendered_pairs import Answer

VOCAB = 13


@dataclass
class Output:
    hidden: Tensor
    balance: None = None


class Given(nn.Module):
    """A model that says what it is told: logits (answers in all, time, vocab) by the numbers in `where`."""

    def __init__(self, logits: Tensor, where: Tensor) -> None:
        super().__init__()
        self.logits, self.where, self.head = nn.Parameter(logits), where, nn.Identity()

    def forward(self, input_ids: Tensor, *, document_ids: Tensor, positions: Tensor, logits: bool) -> Output:
        rows = torch.arange(len(input_ids))[:, None]
        padded = torch.cat([self.where, self.where.new_zeros(len(self.where), 1)], 1)
        return Output(self.logits[padded[rows, document_ids], positions])


@dataclass
class Case:
    """Pairs with logits of the model and log-probabilities of the reference; answer 2 i is chosen, 2 i + 1 rejected."""

    rows: ComparisonRows
    logits: Tensor
    answers: list[Answer]

    def batch(self, point: float = 0.0) -> AnswerBatch:
        batch = self.rows.of(self.rows.packs)
        return replace(batch, points=torch.full_like(batch.points, point))

    def model(self) -> Given:
        packs, slots = self.rows.packs, 2 * max(len(pack) for pack in self.rows.packs)
        where = torch.zeros(len(packs), slots, dtype=torch.long)
        for row, pack in enumerate(packs):
            for place, pair in enumerate(pack):
                where[row, 2 * place : 2 * place + 2] = torch.tensor([2 * pair, 2 * pair + 1])
        return Given(self.logits.clone(), where)


def case(*, pairs: int = 5, equal: bool = False, seed: int = 0, length: int = 24) -> Case:
    """Prompts of 2 to 4 tokens and answers of 3 to 7 (with `equal`: 5 each)."""
    draw = torch.Generator().manual_seed(seed)

    def number(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=draw))

    found = []
    for _ in range(pairs):
        prompt = [number(0, VOCAB - 1) for _ in range(number(2, 4))]
        sizes = (5, 5) if equal else (number(3, 7), number(3, 7))
        found.append(tuple(Answer(prompt + [number(0, VOCAB - 1) for _ in range(n)], len(prompt)) for n in sizes))
    rows = ComparisonRows(Shelf(found, [str(i) for i in range(pairs)], [0.0] * pairs, length), seed=None, long=0)
    rows.reference = -8 + 2 * torch.randn(pairs, 2, generator=draw)
    answers = [answer for pair in found for answer in pair]
    logits = torch.randn(len(answers), length // 2, VOCAB, generator=draw)
    return Case(rows, logits, answers)


def padded(answers: list[Answer], logits: Tensor) -> dict[str, Tensor]:
    """The same answers one a row: ids, attention, where the answer is, and log p of each token but the first."""
    longest = max(len(answer.ids) for answer in answers)
    ids, mask, attention = (torch.zeros(len(answers), longest, dtype=torch.long) for _ in range(3))
    for row, answer in enumerate(answers):
        ids[row, : len(answer.ids)] = torch.tensor(answer.ids)
        attention[row, : len(answer.ids)] = 1
        mask[row, answer.start : len(answer.ids)] = 1
    each = logits[:, : longest - 1].log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    return {"input_ids": ids, "attention_mask": attention, "completion_mask": mask, "log_probs": each * mask[:, 1:]}
