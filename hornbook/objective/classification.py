"""One answer a row out of a few (what is in the picture, is it spam), or one for every token.

Cross-entropy; with weights a rare class counts as much as a frequent one (King and Zeng 2001). A choice of two may be
one number, the logit of the second (binary cross-entropy): then the head has half the weights and the same answers.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.objective.batch import IGNORED, Batch, Loss, balanced, trained


@dataclass(frozen=True, kw_only=True)
class Classification:
    """A class for every row (or token)."""

    SHARES: ClassVar[tuple[str, ...]] = ("accuracy",)

    def count(self, batch: Batch) -> int:
        """Rows with a label."""
        return trained(batch.labels)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss in nats; `accuracy` is the share of rows whose likeliest class is the right one."""
        output: Any = model(**batch.inputs)
        count, logits, labels = self.count(batch), output.logits.float().flatten(0, -2), batch.labels.flatten()
        hits = int((self.decide(logits) == labels).sum())
        return Loss(balanced(self.loss(logits, labels), count, output), count, {"accuracy": (hits, count)})

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(places, labels), (places,) -> the sum."""
        return F.cross_entropy(logits, labels, reduction="sum", ignore_index=IGNORED)

    def decide(self, logits: Tensor) -> Tensor:
        """The class of each place."""
        return logits.argmax(-1)


@dataclass(frozen=True, kw_only=True)
class Weighted(Classification):
    """A row of class c counts `weights[c]` times. Divided is still by the rows, so batches may be cut anyhow."""

    weights: tuple[float, ...]

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(places, labels), (places,) -> the sum."""
        weights = torch.tensor(self.weights, device=logits.device)
        return F.cross_entropy(logits, labels, weights, reduction="sum", ignore_index=IGNORED)


@dataclass(frozen=True, kw_only=True)
class OneLogit(Classification):
    """A choice of two as one number: above 0 it is the second."""

    weights: tuple[float, ...] = (1.0, 1.0)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(places, 1), (places,) -> the sum."""
        kept = labels != IGNORED
        wanted = labels[kept]
        weights = torch.tensor(self.weights, device=logits.device)[wanted]
        return F.binary_cross_entropy_with_logits(logits[kept, 0], wanted.float(), weights, reduction="sum")

    def decide(self, logits: Tensor) -> Tensor:
        """The class of each place."""
        return (logits[:, 0] > 0).long()
