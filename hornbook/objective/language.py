"""Next-token prediction: every position says what comes after it (GPT; Bengio et al. 2003)."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from hornbook.objective.batch import Batch, Loss, balanced, trained
from hornbook.objective.cross_entropy import cross_entropy


@dataclass(frozen=True, kw_only=True)
class NextToken:
    """Every position predicts the token after it."""

    SHARES: ClassVar[tuple[str, ...]] = ()

    def count(self, batch: Batch) -> int:
        """Trained tokens of a batch."""
        return trained(batch.labels)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed cross-entropy in nats; 0, with gradients of 0, where nothing is trained."""
        output: Any = model(**batch.inputs, logits=False)
        head: Any = model.head
        total, count = cross_entropy(output.hidden, batch.labels, head), self.count(batch)
        return Loss(balanced(total, count, output), count)
