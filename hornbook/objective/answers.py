"""What a model says of several answers that stand packed in a row: the log-probability of each.

Answers are numbered by `document_ids`: the even ones were wanted, each odd one is the unwanted half of the pair before
it. A number that is not there (an answer without a partner) has no tokens. Padding has a number past the last.
"""

from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from hornbook.objective.batch import IGNORED, Batch
from hornbook.objective.log_probabilities import log_probabilities


class Rows(Batch, Protocol):
    """Packed answers (data/preference_rows.py)."""

    @property
    def document_ids(self) -> Tensor:
        """(rows, time): 2 i for the i-th chosen answer of a row, 2 i + 1 for the rejected one beside it."""
        ...

    @property
    def reference(self) -> Tensor:
        """(rows, answers): log-probability of each answer under the reference; 0 where there is none."""
        ...

    @property
    def points(self) -> Tensor:
        """(rows,): KTO's reference point."""
        ...


@dataclass(frozen=True)
class Answers:
    """What a model says of the answers of a batch; each (rows, answers)."""

    log_p: Tensor  # of the whole answer
    tokens: Tensor  # 0: there is no such answer
    reference: Tensor
    points: Tensor

    @property
    def mean(self) -> Tensor:
        """Log-probability a token."""
        return self.log_p / self.tokens.clamp(min=1)

    @property
    def ratio(self) -> Tensor:
        """log(policy / reference) of the whole answer."""
        return self.log_p - self.reference

    @property
    def there(self) -> Tensor:
        """Where there is an answer."""
        return self.tokens > 0

    def pairs(self, of: Tensor) -> tuple[Tensor, Tensor]:
        """(chosen, rejected) of the whole pairs, each (pairs,)."""
        both = self.there[:, ::2] & self.there[:, 1::2]
        return of[:, ::2][both], of[:, 1::2][both]


def read(model: nn.Module, batch: Batch) -> tuple[Answers, Any]:
    """The answers of a batch as a model sees them now, and the model's output."""
    rows = cast(Rows, batch)
    output: Any = model(**rows.inputs, logits=False)
    head: Any = model.head
    each = log_probabilities(output.hidden, rows.labels, head)
    log_p, tokens = by_answer(each, rows.labels, rows.document_ids, rows.reference.shape[1])
    points = rows.points[:, None].expand_as(rows.reference)
    return Answers(log_p, tokens, rows.reference, points), output


def by_answer(each: Tensor, labels: Tensor, documents: Tensor, answers: int) -> tuple[Tensor, Tensor]:
    """The sum over each answer of a packed row, and its number of trained tokens.

    each, labels, documents (rows, time); the documents of a row are numbered, and those from `answers` on (padding)
    count nowhere -> (rows, answers) fp32, (rows, answers) int64.

    >>> labels, documents = torch.tensor([[-100, 5, 6, 7]]), torch.tensor([[0, 0, 2, 2]])
    >>> [part.tolist() for part in by_answer(torch.tensor([[9.0, 1, 2, 4]]), labels, documents, 3)]
    [[[1.0, 0.0, 6.0]], [[1, 0, 2]]]
    """
    trained = (labels != IGNORED) & (documents < answers)
    row, place = trained.nonzero(as_tuple=True)
    slot = row * answers + documents[row, place]
    sums = each.new_zeros(labels.shape[0] * answers).index_add(0, slot, each[row, place])
    return sums.view(-1, answers), torch.bincount(slot, minlength=labels.shape[0] * answers).view(-1, answers)


def present(batch: Batch) -> Tensor:
    """Where there is an answer, (rows, answers)."""
    rows = cast(Rows, batch)
    nothing = torch.zeros_like(rows.labels, dtype=torch.float32)
    return by_answer(nothing, rows.labels, rows.document_ids, rows.reference.shape[1])[1] > 0
