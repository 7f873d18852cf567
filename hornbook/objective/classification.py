"""One answer a row out of a few: what is in the picture."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import nn

from hornbook.objective.batch import IGNORED, Batch, Loss, balanced, trained


@dataclass(frozen=True, kw_only=True)
class Classification:
    """A class for every row."""

    SHARES: ClassVar[tuple[str, ...]] = ("accuracy",)

    def count(self, batch: Batch) -> int:
        """Rows with a label."""
        return trained(batch.labels)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed cross-entropy in nats; `accuracy` is the share of rows whose likeliest class is the right one."""
        output: Any = model(**batch.inputs)
        loss = F.cross_entropy(output.logits.float(), batch.labels, reduction="sum", ignore_index=IGNORED)
        count = self.count(batch)
        if model.training:
            return Loss(balanced(loss, count, output), count)
        hits = int((output.logits.argmax(-1) == batch.labels).sum())
        return Loss(loss, count, {"accuracy": (hits, count)})
