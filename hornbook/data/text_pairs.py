"""Pairs of texts that mean alike, for an embedder: partners, partners with a hard negative, or texts alone.

Columns as sentence-transformers has them: `anchor` (or `query`) and `positive`, with a `negative` where every row has
one; or `text` alone, which is its own partner (SimCSE, Gao et al. 2021, section 3: dropout makes the difference). A row
of training holds the texts of one pair; a batch is all anchors, then all partners, then all negatives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.data.batches import row_indices
from hornbook.data.messages import renamed
from hornbook.data.rows import Row
from hornbook.data.split import Source
from hornbook.data.texts import padded, whole
from hornbook.text.tokenizer import Tokenizer

NAMES: dict[str, tuple[str, ...]] = {
    "anchor": ("anchor", "query", "text"),
    "positive": ("positive",),
    "negative": ("negative",),
}


@dataclass(frozen=True, kw_only=True)
class TextPairs(Source):
    """Files of pairs."""

    USUAL: ClassVar[bool] = True

    columns: dict[str, str] | None = None
    """The file's own names: {anchor: question, positive: answer}."""

    def row(self, raw: Row) -> Row:
        """{"texts": [anchor, partner (, negative)], "id"}; UserError where a text is missing or says nothing."""
        row = renamed(raw, self.columns)
        anchor = _text(row, "anchor")
        if anchor is None:
            there = ", ".join(name for name in raw if name != "id")
            raise UserError(
                f"{row['id']}: no column anchor, query or text; it has {there}; name them in `columns: {{anchor: ...}}`"
            )
        partner, negative = _text(row, "positive"), _text(row, "negative")
        if partner == negative and negative is not None:
            raise UserError(f"{row['id']}: positive and negative are the same text; a row must tell them apart")
        texts = [anchor, anchor if partner is None else partner, *([] if negative is None else [negative])]
        return {"texts": texts, "id": row["id"], "alone": partner is None}

    def key(self, row: Row) -> Any:
        """Rows of one anchor stay on one side."""
        return row["texts"][0]


def _text(row: Mapping[str, Any], name: str) -> str | None:
    """What stands in the first of a part's columns that the row has."""
    found = next((row[column] for column in NAMES[name] if row.get(column) is not None), None)
    if found is not None and (not isinstance(found, str) or not found.strip()):
        raise UserError(f"{row['id']}: {name} is {found!r}, not a text; fix or delete the row")
    return found


@dataclass(frozen=True)
class TextBatch:
    """The texts of some rows: anchors, then their partners, then their negatives."""

    input_ids: Int[Tensor, "texts length"]
    attention_mask: Bool[Tensor, "texts length"]
    labels: Int[Tensor, " rows"]
    """Which candidate (partners first) is a row's own: its number in the batch."""
    next_sentence_labels: None = field(default=None, repr=False)

    @property
    def inputs(self) -> dict[str, Tensor]:
        """The arguments of a model's forward pass for all texts at once."""
        return {"input_ids": self.input_ids, "attention_mask": self.attention_mask}

    def to(self, device: torch.device | str) -> "TextBatch":
        """The batch on a device."""
        ids, real, labels = (part.to(device, non_blocking=True) for part in (*self.inputs.values(), self.labels))
        return TextBatch(ids, real, labels)


class PairSource:
    """Rows of pairs in an order drawn from the seed; a `Source` of data/batches.py."""

    def __init__(self, rows: Sequence[Row], tokenizer: Tokenizer, length: int, *, seed: int | None) -> None:
        sizes = {len(row["texts"]) for row in rows}
        if len(sizes) > 1:
            odd = next(row["id"] for row in rows if len(row["texts"]) < max(sizes))
            raise UserError(f"{odd}: has no negative, other rows have one; give one to every row or to none")
        self.rows, self.tokenizer, self.seed = rows, tokenizer, seed
        self.texts = sizes.pop()
        self.length = length * self.texts
        self.room, self.rows_per_epoch, self.tokens_per_row = length, len(rows), 1.0

    def batch(self, first_row: int, rows: int) -> Any:
        """Rows first_row to first_row + rows - 1."""
        chosen = [row["texts"] for row in self._chosen(first_row, rows)]
        texts = [row[part] for part in range(self.texts) for row in chosen]
        ids, real = padded([whole(self.tokenizer, text, self.room) for text in texts], self.tokenizer)
        return TextBatch(ids, real, torch.arange(rows))

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The ids of the rows."""
        return [[row["id"]] for row in self._chosen(first_row, rows)]

    def _chosen(self, first_row: int, rows: int) -> list[Row]:
        return [self.rows[i] for i in row_indices(first_row, rows, self.rows_per_epoch, self.seed).tolist()]
