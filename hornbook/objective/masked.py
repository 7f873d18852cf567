"""Masked language modelling: which tokens were hidden, and, where a row is two texts, does the second follow the first?

Devlin et al. 2019, section 3.1. The loss is the mean over the hidden tokens, and with pairs the mean over the rows is
added to it, as in BERT; a row counts there as often as it has hidden tokens, so that the sum may be cut anywhere.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.objective.batch import IGNORED, Batch, Loss, balanced, trained
from hornbook.objective.cross_entropy import cross_entropy, right


@dataclass(frozen=True, kw_only=True)
class MaskedTokens:
    """Every hidden token is guessed from both sides; pairs of texts are told apart from strangers."""

    SHARES: ClassVar[tuple[str, ...]] = ("accuracy", "next_sentence_accuracy")

    def count(self, batch: Batch) -> int:
        """Hidden tokens of a batch."""
        return trained(batch.labels)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed cross-entropy in nats; `accuracy` is of hidden tokens, `next_sentence_accuracy` of rows."""
        output: Any = model(**batch.inputs, logits=False)
        head: Any = model.head
        count, follows = self.count(batch), batch.next_sentence_labels
        loss, shares = cross_entropy(output.hidden, batch.labels, head), {}
        if not model.training:
            shares["accuracy"] = right(output.hidden, batch.labels, head), count
        if follows is not None:
            scores = output.seq_relationship_logits
            loss = loss + next_sentence(scores, follows, batch.labels)
            if not model.training:
                shares["next_sentence_accuracy"] = int((scores.argmax(-1) == follows).sum()), len(follows)
        return Loss(balanced(loss, count, output), count, shares)


def next_sentence(scores: Tensor, follows: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of each row's answer times its number of hidden tokens, summed: (rows, 2), (rows,), ids."""
    hidden_tokens = (labels != IGNORED).sum(1)
    return (F.cross_entropy(scores.float(), follows, reduction="none") * hidden_tokens).sum()
