"""A text is read and its answer written: translation, and mending what noise has spoilt (BART, T5).

Label smoothing (Vaswani et al. 2017, section 5.4: 0.1) keeps the model from being too sure: worse perplexity, better
translations. It is a way to train, not a measure: where a model is only measured the loss is the plain one.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from hornbook.objective.batch import Batch, Loss, balanced, trained
from hornbook.objective.cross_entropy import cross_entropy, right


@dataclass(frozen=True, kw_only=True)
class SequenceToSequence:
    """Every position of the decoder predicts the answer's next token."""

    SHARES: ClassVar[tuple[str, ...]] = ("accuracy",)
    label_smoothing: float = 0.0
    """Share of each answer that is spread evenly over the vocabulary."""

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing: {self.label_smoothing} is not a share below 1; try 0.1")

    def count(self, batch: Batch) -> int:
        """Trained tokens of the answers."""
        return trained(batch.labels)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed cross-entropy of the answers in nats; `accuracy` is the share of tokens foreseen."""
        output: Any = model(**batch.inputs, logits=False)
        head: Any = model.head
        count = self.count(batch)
        if model.training:
            loss = cross_entropy(output.hidden, batch.labels, head, smoothing=self.label_smoothing)
            return Loss(balanced(loss, count, output), count)
        shares = {"accuracy": (right(output.hidden, batch.labels, head), count)}
        return Loss(cross_entropy(output.hidden, batch.labels, head), count, shares)
