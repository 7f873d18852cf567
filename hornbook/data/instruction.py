"""Conversations to batches: whole rows packed together, each seeing only itself, trained where the assistant speaks.

Rows go into packs of `length` tokens by best fit (pack.py). A row's attention, positions and labels stay its own, so
its loss is the same as alone (Krell et al. 2021). Rows that are too long are dropped or cut, and counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Batch, row_indices
from hornbook.data.pack import best_fit
from hornbook.text.chat import Rendered, Renderer


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """Packs of `length` tokens of whole conversations."""

    length: int
    long: Literal["drop", "cut"] = "drop"
    """A conversation of more than `length` + 1 tokens is left out, or loses its end (and with it the stop token)."""

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length: {self.length} is not a number of tokens; try 256")

    def build(self, rows: Iterable[Mapping[str, Any]], renderer: Renderer, *, seed: int | None) -> "InstructionRows":
        """Rows {"messages": [...], "document": name} in an order drawn from the seed, or as they came with None."""
        renderer.stop  # noqa: B018 -- refuses a template that trains no stop token, before anything is trained
        fitting: list[Rendered] = []
        names: list[str] = []
        long = 0
        for number, row in enumerate(rows):
            rendered = renderer.render(row["messages"])
            if len(rendered.ids) > self.length + 1:
                long += 1
                rendered = _cut(rendered, self.length + 1)
                if self.long == "drop" or not any(rendered.trained[1:]):
                    continue
            fitting.append(rendered)
            names.append(str(row.get("document", number)))
        if not fitting:
            raise UserError(
                f"instructions: none of the {long} rows fits {self.length} tokens; make `length` longer"
                if long
                else "instructions: there are no rows to train on; give at least one conversation"
            )
        return InstructionRows(fitting, names, self, seed=seed, long=long)


def _cut(rendered: Rendered, tokens: int) -> Rendered:
    return Rendered(rendered.ids[:tokens], rendered.trained[:tokens])


class InstructionRows:
    """The packs of some conversations, in memory; a `Source`."""

    def __init__(
        self, rows: list[Rendered], names: list[str], config: Instructions, *, seed: int | None, long: int
    ) -> None:
        self.rows, self.names, self.length, self.seed = rows, names, config.length, seed
        self.long = long  # rows that were too long: dropped, or cut
        pack_of = best_fit(np.array([len(row.ids) - 1 for row in rows]), config.length)
        self.packs = [np.flatnonzero(pack_of == pack).tolist() for pack in range(int(pack_of.max()) + 1)]
        self.rows_per_epoch = len(self.packs)
        self.tokens_per_row = sum(sum(row.trained[1:]) for row in rows) / len(self.packs)

    def batch(self, first_row: int, rows: int) -> Batch:
        """Packs first_row to first_row + rows - 1; padding is a document of its own that trains nothing."""
        packs = [self._pack(pack) for pack in self._packs(first_row, rows)]
        tensors: list[Any] = [torch.from_numpy(np.stack(arrays)) for arrays in zip(*packs, strict=True)]
        return Batch(*tensors)

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The names of the conversations in each pack."""
        return [[self.names[row] for row in pack] for pack in self._packs(first_row, rows)]

    def _packs(self, first_row: int, rows: int) -> list[list[int]]:
        return [self.packs[i] for i in row_indices(first_row, rows, self.rows_per_epoch, self.seed).tolist()]

    def _pack(self, pack: list[int]) -> tuple[NDArray[Any], ...]:
        """inputs, labels, document numbers and positions of one pack, each (length,)."""
        inputs, positions = np.zeros((2, self.length), dtype=np.int64)
        labels = np.full(self.length, IGNORE, dtype=np.int64)
        documents = np.full(self.length, len(pack), dtype=np.int32)
        start = 0
        for number, row in enumerate(self.rows[i] for i in pack):
            here = slice(start, start + len(row.ids) - 1)
            inputs[here] = row.ids[:-1]
            labels[here] = np.where(row.trained[1:], row.ids[1:], IGNORE)
            documents[here] = number
            positions[here] = np.arange(len(row.ids) - 1)
            start = here.stop
        positions[start:] = np.arange(self.length - start)
        return inputs, labels, documents, positions
