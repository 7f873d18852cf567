"""Conversations to batches: whole rows packed together, each seeing only itself, trained where the assistant speaks.

Rows go into packs of `length` tokens by best fit (pack.py). A row's attention, positions and labels stay its own, so
its loss is the same as alone (Krell et al. 2021); a recurrent model's state begins anew with each. Without packing a
row is one conversation, filled up to the longest beside it. Shi et al. 2024 also train on what is asked; they leave the
template's own words out, here they are in. Rows that are too long are dropped or cut, and counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Batch, row_indices
from hornbook.data.pack import best_fit
from hornbook.text.chat import Renderer


@dataclass(frozen=True)
class Example:
    """A conversation as a model reads it and as it is to answer: the same ids, one place on."""

    inputs: NDArray[np.int32]
    labels: NDArray[np.int32]  # IGNORE where nothing is trained
    name: str

    @property
    def trained(self) -> int:
        """How many of its tokens are trained."""
        return int((self.labels != IGNORE).sum())


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """How conversations become rows of at most `length` tokens."""

    length: int
    long: Literal["drop", "cut"] = "drop"
    """A conversation of more than `length` + 1 tokens is left out, or loses its end (and with it the stop token)."""
    trained: Literal["responses", "everything"] = "responses"
    packed: bool = True
    """Several conversations in a row, or each in a row of its own, filled up."""

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length: {self.length} is not a number of tokens; try 256")

    def build(self, rows: Iterable[Mapping[str, Any]], renderer: Renderer, *, seed: int | None) -> "InstructionRows":
        """Rows {"messages": [...], "id": name} in an order drawn from the seed, or as they came with None."""
        renderer.stop  # noqa: B018 -- refuses a template that trains no stop token, before anything is trained
        fitting: list[Example] = []
        long = lost = 0
        for example in self.examples(rows, renderer):
            size = len(example.inputs)
            if size > self.length:
                long += 1
                example = Example(example.inputs[: self.length], example.labels[: self.length], example.name)
            if size > self.length and (self.long == "drop" or not example.trained):
                lost += 1
                continue
            fitting.append(example)
        if not fitting:
            raise UserError(
                f"instructions: none of the {long} rows fits {self.length} tokens; make `length` longer"
                if long
                else "instructions: there are no rows to train on; give at least one conversation"
            )
        return InstructionRows(fitting, self, seed=seed, long=Long(long, lost))

    def examples(self, rows: Iterable[Mapping[str, Any]], renderer: Renderer) -> Iterator[Example]:
        """Every conversation, however long; what cannot be rendered is a UserError with its id."""
        for number, row in enumerate(rows):
            name = str(row.get("id", number))
            rendered = renderer.row(row["messages"], name)
            ids = np.array(rendered.ids, dtype=np.int32)
            trained = np.array(rendered.trained) | (self.trained == "everything")
            yield Example(ids[:-1], np.where(trained[1:], ids[1:], IGNORE).astype(np.int32), name)


@dataclass(frozen=True)
class Long:
    """Conversations that were too long."""

    rows: int
    lost: int  # of them were left out: all, or where they are cut those of whose answer nothing remained


class InstructionRows:
    """Conversations in memory, several or one to a row; a `Source`."""

    def __init__(self, rows: list[Example], config: Instructions, *, seed: int | None, long: Long) -> None:
        self.rows, self.config, self.seed, self.long = rows, config, seed, long
        sizes = np.array([len(row.inputs) for row in rows])
        pack_of = best_fit(sizes, config.length) if config.packed else np.arange(len(rows))
        order, ends = np.argsort(pack_of, kind="stable"), np.cumsum(np.bincount(pack_of))
        self.packs = [members.tolist() for members in np.split(order, ends[:-1])]
        self.rows_per_epoch = len(self.packs)
        # of a row that is filled up to the longest beside it only its own tokens are counted
        self.length = config.length if config.packed else max(1, round(float(sizes.mean())))
        self.tokens_per_row = sum(row.trained for row in rows) / len(self.packs)

    def __str__(self) -> str:
        """The counts as a sentence for the user."""
        tokens = sum(len(row.inputs) for row in self.rows)
        share = self.tokens_per_row * len(self.packs) / tokens
        told = f"{len(self.rows):,} conversations of {tokens:,} tokens, {share:.0%} of them trained"
        if self.config.packed:
            full = tokens / (len(self.packs) * self.config.length)
            told += f", in {len(self.packs):,} rows of {self.config.length} ({full:.0%} full)"
        told += f"; {self.long.rows:,} longer than {self.config.length} tokens"
        if self.long.lost == self.long.rows:
            return told + (", left out" if self.long.rows else "")
        return f"{told} were cut" + (f", {self.long.lost:,} left out: no answer remained" if self.long.lost else "")

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1; what fills them up trains nothing."""
        packs = self._packs(first_row, rows)
        if not self.config.packed:
            return self._filled_up([pack[0] for pack in packs])
        parts = zip(*(self._pack(pack) for pack in packs), strict=True)
        tensors: list[Any] = [torch.from_numpy(np.stack(arrays)) for arrays in parts]
        return Batch(*tensors)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the conversations in each row."""
        return [[self.rows[row].name for row in pack] for pack in self._packs(first_row, rows)]

    def _packs(self, first_row: int, rows: int) -> list[list[int]]:
        return [self.packs[i] for i in row_indices(first_row, rows, self.rows_per_epoch, self.seed).tolist()]

    def _filled_up(self, rows: list[int]) -> Batch:
        """Padding stands behind, where no token of the row can see it: it needs no mask."""
        width = max(len(self.rows[row].inputs) for row in rows)
        inputs = np.zeros((len(rows), width), dtype=np.int64)
        labels = np.full((len(rows), width), IGNORE, dtype=np.int64)
        for place, row in enumerate(self.rows[i] for i in rows):
            inputs[place, : len(row.inputs)] = row.inputs
            labels[place, : len(row.inputs)] = row.labels
        return Batch(torch.from_numpy(inputs), torch.from_numpy(labels))

    def _pack(self, pack: list[int]) -> tuple[NDArray[Any], ...]:
        """inputs, labels, document numbers and positions of one pack; padding is a document of its own."""
        inputs, positions = np.zeros((2, self.length), dtype=np.int64)
        labels = np.full(self.length, IGNORE, dtype=np.int64)
        documents = np.full(self.length, len(pack), dtype=np.int32)
        start = 0
        for number, row in enumerate(self.rows[i] for i in pack):
            here = slice(start, start + len(row.inputs))
            inputs[here], labels[here] = row.inputs, row.labels
            documents[here] = number
            positions[here] = np.arange(len(row.inputs))
            start = here.stop
        positions[start:] = np.arange(self.length - start)
        return inputs, labels, documents, positions
