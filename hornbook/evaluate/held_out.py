"""The loss on conversations that were not trained on, each alone, with an interval over them."""

from collections.abc import Sequence
from typing import Any

import torch

from hornbook.data.instruction import Example, InstructionRows, Instructions, Long
from hornbook.evaluate.interval import bootstrap_ratio
from hornbook.model.decoder import DecoderModel
from hornbook.objective.cross_entropy import cross_entropy

TOKENS = 4096  # that go through the model at once


@torch.no_grad()
def held_out_loss(model: DecoderModel, rows: Sequence[Example]) -> dict[str, Any]:
    """Nats a trained token, {"value", "interval", "of"}; the interval draws conversations, not tokens."""
    model.eval()
    device = next(model.parameters()).device
    losses: list[float] = []
    counts: list[int] = []
    for together in groups(sorted(rows, key=lambda row: len(row.inputs))):
        config = Instructions(length=len(together[-1].inputs), packed=False)
        batch = InstructionRows(together, config, seed=None, long=Long(0, 0)).batch(0, len(together)).to(device)
        hidden = model(**batch.inputs, logits=False).hidden
        for of_row, labels, row in zip(hidden, batch.labels, together, strict=True):
            losses.append(float(cross_entropy(of_row, labels, model.head)))
            counts.append(row.trained)
    interval = list(bootstrap_ratio(losses, counts))
    return {"value": sum(losses) / sum(counts), "interval": interval, "of": len(rows)}


def groups(rows: Sequence[Example]) -> list[list[Example]]:
    """Rows in order, as many together as fit `TOKENS` when filled up to the longest; they come shortest first."""
    found: list[list[Example]] = []
    for row in rows:
        if not found or (len(found[-1]) + 1) * len(row.inputs) > TOKENS:
            found.append([])
        found[-1].append(row)
    return found
