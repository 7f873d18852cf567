"""Pairs of answers to batches: both answers of a pair in one packed row, each seeing only itself and its prompt.

Pairs go into rows by best fit (pack.py), so next to nothing is computed on padding, and a row is whole in itself: what
is found from it is the same in any micro-batch and process. A prompt is computed once for each of its answers.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.data import rendered_pairs
from hornbook.data.batches import IGNORE, Batch, row_indices
from hornbook.data.pack import best_fit
from hornbook.data.rendered_pairs import Answer, Pair
from hornbook.text.chat import Renderer


@dataclass(frozen=True, kw_only=True)
class AnswerBatch(Batch):
    """Rows of packed answers, told apart by `document_ids`: 2 i is chosen, 2 i + 1 rejected, the last is padding."""

    reference: Tensor
    """(rows, answers): log-probability under the reference; 0: none."""
    margins: Tensor
    """(rows, answers / 2): by how much the chosen one is better; 0: nobody said."""
    points: Tensor
    """(rows,): KTO's reference point."""

    @property
    def inputs(self) -> dict[str, Tensor]:
        """The arguments of a model's forward pass, by name."""
        found = {"input_ids": self.input_ids, "document_ids": self.document_ids, "positions": self.positions}
        return {name: tensor for name, tensor in found.items() if tensor is not None}

    def cut(self, length: int) -> "Batch":  # noqa: ARG002 -- of every batch
        """Pairs are whole or of no use."""
        raise UserError("train.lengths: rows of pairs cannot be cut; leave it out")

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        return replace(self, **{name: change(part) for name, part in vars(self).items() if part is not None})


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """Rows with room for two answers of `length` tokens."""

    length: int
    """Tokens of a prompt and an answer to it."""
    long: Literal["drop", "cut"] = "drop"
    """A pair of which one is longer is left out, or what is longer loses its end (and with it the stop token)."""

    def __post_init__(self) -> None:
        if self.length < 2:
            raise ValueError(f"length: {self.length} leaves no room for an answer; try 512")

    def build(self, rows: Iterable[Mapping[str, Any]], renderer: Renderer, *, seed: int | None) -> "ComparisonRows":
        """Rows in an order drawn from the seed, or as they came with None."""
        renderer.stop  # noqa: B018 -- refuses a template that trains no stop token, before anything is trained
        shelf, long = Shelf([], [], [], 2 * self.length), 0
        for number, row in enumerate(rows):
            name = str(row.get("id", number))
            pair: Pair | None = rendered_pairs.render(row, renderer, name)
            assert pair is not None
            if any(answer is not None and len(answer.ids) > self.length for answer in pair):
                long += 1
                pair = rendered_pairs.cut(pair, self.length) if self.long == "cut" else None
            if pair is not None:
                shelf.add(pair, name, float(row.get("margin") or 0.0))
        if not shelf.pairs:
            raise UserError(
                f"preferences: none of the {long} rows fits {self.length} tokens; make `length` longer"
                if long
                else "preferences: there are no rows to learn from; give at least one pair"
            )
        return ComparisonRows(shelf, seed=seed, long=long)


@dataclass(frozen=True)
class Shelf:
    """Pairs, and the rows they are packed into."""

    pairs: list[Pair]
    names: list[str]
    margins: list[float]
    length: int
    """Tokens of a row."""

    def add(self, pair: Pair, name: str, margin: float) -> None:
        """One more pair."""
        self.pairs.append(pair)
        self.names.append(name)
        self.margins.append(margin)

    def packs(self, pairs: Sequence[int]) -> list[list[int]]:
        """Which of some pairs stand in which row."""
        row_of = best_fit(np.array([rendered_pairs.size(self.pairs[pair]) for pair in pairs]), self.length)
        by_row: list[list[int]] = [[] for _ in range(int(row_of.max()) + 1)]
        for pair, row in zip(pairs, row_of.tolist(), strict=True):
            by_row[row].append(pair)
        return by_row

    def batch(self, packs: Sequence[Sequence[int]]) -> AnswerBatch:
        """Rows of these pairs."""
        answers = 2 * max(len(pack) for pack in packs)
        width = max(1, *(self.used(pack) for pack in packs))  # where all rows end earlier, nothing is computed after it
        inputs, positions = np.zeros((2, len(packs), width), dtype=np.int64)
        labels = np.full((len(packs), width), IGNORE, dtype=np.int64)
        documents = np.full((len(packs), width), answers, dtype=np.int32)
        margins = torch.zeros(len(packs), answers // 2)
        for row, pack in enumerate(packs):
            place = 0
            for number, answer in self._answers(pack):
                size = len(answer.ids)
                here = slice(place, place + size)
                inputs[row, here], positions[row, here], documents[row, here] = answer.ids, np.arange(size), number
                labels[row, place + answer.start - 1 : place + size - 1] = answer.ids[answer.start :]
                place += size
            positions[row, place:] = np.arange(width - place) % max(1, self.length // 2)  # no further than an answer's
            margins[row, : len(pack)] = torch.tensor([self.margins[pair] for pair in pack])
        return AnswerBatch(
            input_ids=torch.from_numpy(inputs),
            labels=torch.from_numpy(labels),
            document_ids=torch.from_numpy(documents),
            positions=torch.from_numpy(positions),
            reference=torch.zeros(len(packs), answers),
            margins=margins,
            points=torch.zeros(len(packs)),
        )

    def used(self, pack: Sequence[int]) -> int:
        """Tokens of some pairs."""
        return sum(rendered_pairs.size(self.pairs[pair]) for pair in pack)

    def _answers(self, pack: Sequence[int]) -> Iterator[tuple[int, Answer]]:
        for place, pair in enumerate(pack):
            for half, answer in enumerate(self.pairs[pair]):
                if answer is not None:
                    yield 2 * place + half, answer


class ComparisonRows:
    """Packed pairs, in memory; a `Source`."""

    def __init__(self, shelf: Shelf, *, seed: int | None, long: int) -> None:
        self.shelf, self.seed, self.long, self.length = shelf, seed, long, shelf.length
        self.packs = shelf.packs(range(len(shelf.pairs)))
        self.rows_per_epoch = len(self.packs)
        self.reference = torch.zeros(len(shelf.pairs), 2)
        """Log-probability of (chosen, rejected) of each pair under the reference, once somebody has found it."""
        halves = [answer for pair in shelf.pairs for answer in pair if answer is not None]
        self.tokens_per_row = sum(len(answer.ids) - answer.start for answer in halves) / len(self.packs)

    def batch(self, first_row: int, rows: int) -> AnswerBatch:
        """Rows first_row to first_row + rows - 1; padding is a document of its own that trains nothing."""
        return self.of(self.packs_at(first_row, rows))

    def of(self, packs: Sequence[Sequence[int]]) -> AnswerBatch:
        """Rows of some pairs, with what the reference says of them."""
        batch = self.shelf.batch(packs)
        for row, pack in enumerate(packs):
            batch.reference[row, : 2 * len(pack)] = self.reference[list(pack)].flatten()
        return batch

    @property
    def filled(self) -> float:
        """Share of all places that are no padding."""
        return self.shelf.used(range(len(self.shelf.pairs))) / (len(self.packs) * self.length)

    def repacked(self, pairs: Sequence[int]) -> list[list[int]]:
        """Some of the pairs in as few rows as they need."""
        return self.shelf.packs(pairs)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The ids of the pairs in each row."""
        return [[self.shelf.names[pair] for pair in pack] for pack in self.packs_at(first_row, rows)]

    def packs_at(self, first_row: int, rows: int) -> list[list[int]]:
        """The pairs in each row."""
        return [self.packs[i] for i in row_indices(first_row, rows, self.rows_per_epoch, self.seed).tolist()]

    def each(self, found: Callable[[AnswerBatch], Tensor], *, rows: int) -> Tensor:
        """What a function finds, (rows, answers), as (pairs, 2); so many rows at a time."""
        values = torch.zeros(len(self.shelf.pairs), 2)
        for first in range(0, len(self.packs), rows):
            packs = self.packs[first : first + rows]
            for pack, answers in zip(packs, found(self.of(packs)).cpu(), strict=True):
                values[pack] = answers[: 2 * len(pack)].view(-1, 2)
        return values

    def fingerprint(self) -> str:
        """A hash of all ids, and of which are answers."""
        digest = hashlib.sha256()
        for pair in self.shelf.pairs:
            for answer in pair:
                digest.update(b"-" if answer is None else f"{answer.start}:{answer.ids}".encode())
        return digest.hexdigest()

    def strangers(self) -> "ComparisonRows":
        """The same prompts with the answers to another one, which KTO's reference point is found from."""
        pairs = rendered_pairs.strangers(self.shelf.pairs, self.length // 2)
        return ComparisonRows(replace(self.shelf, pairs=pairs), seed=self.seed, long=0)
