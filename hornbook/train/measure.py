"""How good a model is on rows it is not trained on: its loss, and how often it is right."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import nn

from hornbook.data.batches import Batch
from hornbook.objective.batch import Objective


@dataclass
class Measured:
    """Sums over the rows that were looked at."""

    total: float = 0.0
    """Summed loss, nats."""
    count: float = 0.0
    """Labels it is the sum of."""
    hits: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Of each kind of answer: (right ones, all)."""

    @property
    def loss(self) -> float:
        """Nats a label; 0 where there was none."""
        return self.total / max(self.count, 1.0)

    @property
    def shares(self) -> dict[str, float]:
        """The share that was right of each kind of answer that was asked for."""
        return {name: right / of for name, (right, of) in self.hits.items() if of}

    def add(self, shares: Mapping[str, tuple[float, float]]) -> None:
        """What was measured beside the loss of some more rows."""
        for name, (right, of) in shares.items():
            before, asked = self.hits.get(name, (0.0, 0.0))
            self.hits[name] = before + right, asked + of

    def over(self, add_up: Callable[..., list[float]]) -> "Measured":
        """The same over all processes; `add_up` sums each of some numbers over them."""
        numbers = [self.total, self.count, *(number for pair in self.hits.values() for number in pair)]
        total, count, *pairs = add_up(*numbers)
        return Measured(total, count, dict(zip(self.hits, zip(pairs[::2], pairs[1::2], strict=True), strict=True)))


def nothing(objective: Objective) -> Measured:
    """No rows yet; all processes have the same names in the same order, so that they can add up."""
    return Measured(hits=dict.fromkeys(objective.SHARES, (0.0, 0.0)))


@torch.no_grad()
def measure(
    model: nn.Module,
    objective: Objective,
    batches: Iterable[Batch],
    context: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Measured:
    """Look at every batch once, in evaluation mode; `context` is entered around each forward pass."""
    model.eval()
    found = nothing(objective)
    for batch in batches:
        with context():
            loss = objective(model, batch)
        found.total, found.count = found.total + float(loss.sum), found.count + loss.count
        found.add(loss.shares)
    return found
