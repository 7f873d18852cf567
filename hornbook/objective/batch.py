"""What an objective sees of the rows, and what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

IGNORED = -100  # the label of a place that is not trained; PyTorch's default as well


class Batch(Protocol):
    """Rows, whatever they are made of."""

    @property
    def inputs(self) -> Mapping[str, Tensor]:
        """The arguments of the model's forward pass, by name."""
        ...

    @property
    def labels(self) -> Tensor:
        """The right answer at each place, IGNORED where nothing is trained."""
        ...

    @property
    def next_sentence_labels(self) -> Tensor | None:
        """Whether the second text of a row follows the first (0) or not (1); None where there is one text a row."""
        ...


@dataclass(frozen=True)
class Loss:
    """The SUM over the trained places and their count: the loop divides by the count of all micro-batches together."""

    sum: Tensor
    """Scalar, nats."""
    count: int
    shares: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """What is measured beside it: name -> (how many were right, of how many), or the sum of any number and its count.

    What costs time is left out while a model is trained.
    """


class Objective(Protocol):
    """Turns (model, batch) into a loss."""

    SHARES: ClassVar[tuple[str, ...]]
    """The names of what `Loss.shares` may hold."""

    def count(self, batch: Batch) -> int:
        """Trained places of a batch."""
        ...

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss; 0, with gradients of 0, where nothing is trained."""
        ...


def balanced(total: Tensor, count: int, output: Any) -> Tensor:
    """The summed loss and, while experts are trained, what their uneven use adds to the mean of it.

    A batch with nothing to train on has no say in it either.
    """
    balance: Tensor | None = output.balance
    return total if balance is None else total + count * balance


def trained(labels: Tensor) -> int:
    """How many places have a label."""
    return int((labels != IGNORED).sum())
