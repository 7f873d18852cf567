"""Next-token prediction: the cross-entropy of every trained token, summed, without ever holding all the logits.

With a vocabulary of 50k the logits of 8k tokens are 1.6 GB, and their gradient as much again. Here a chunk of tokens
at a time goes through the head, forwards and at once backwards, and only the gradients of the hidden states and of the
head are kept: no product is done twice (as in Hsu et al. 2024, Liger Kernel). Leaves out z-loss and label smoothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IGNORED = -100  # the label of a token that is not trained; PyTorch's default as well
CHUNK = 1024  # tokens; within 10 % of the fastest from 512 on, see docs/optimizers.md


class Batch(Protocol):
    """What an objective reads of a batch; labels[row, t] is the token that position t is to predict."""

    @property
    def input_ids(self) -> Tensor: ...

    @property
    def labels(self) -> Tensor: ...

    @property
    def document_ids(self) -> Tensor | None: ...

    @property
    def positions(self) -> Tensor | None: ...


@dataclass(frozen=True)
class Loss:
    """The SUM over the trained tokens and their count: the loop divides by the count of all micro-batches together."""

    sum: Tensor  # scalar, nats
    count: int
    metrics: Mapping[str, float | Tensor] = field(default_factory=dict)


class Objective(Protocol):
    """Turns (model, batch) into a loss."""

    def count(self, batch: Batch) -> int: ...

    def __call__(self, model: nn.Module, batch: Batch) -> Loss: ...


@dataclass(frozen=True, kw_only=True)
class NextToken:
    """Every position predicts the token after it."""

    def count(self, batch: Batch) -> int:
        """Trained tokens of a batch."""
        return int((batch.labels != IGNORED).sum())

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed cross-entropy in nats; 0, with gradients of 0, where nothing is trained."""
        output: Any = model(batch.input_ids, document_ids=batch.document_ids, positions=batch.positions, logits=False)
        head: Any = model.head
        return Loss(sum=cross_entropy(output.hidden, batch.labels, head), count=self.count(batch))


def cross_entropy(hidden: Tensor, labels: Tensor, head: nn.Module, *, chunk: int = CHUNK) -> Tensor:
    """The sum of -log p(label) over the labels that are not ignored; equal to `F.cross_entropy(head(hidden), ...)`.

    hidden (..., dim), labels (...) -> scalar. The head's parameters get their gradients when the result is propagated.
    """
    hidden, labels = hidden.flatten(0, -2), labels.flatten()
    trained = labels != IGNORED
    if not trained.all():
        hidden, labels = hidden[trained], labels[trained]  # the rest need no logits at all
    if not torch.is_grad_enabled():
        pairs = zip(torch.split(hidden, chunk), torch.split(labels, chunk), strict=True)
        return torch.stack([F.cross_entropy(head(h).float(), y, reduction="sum") for h, y in pairs]).sum()
    weights = [weight for weight in head.parameters() if weight.requires_grad]
    total: Tensor = _ChunkedCrossEntropy.apply(head, chunk, labels, hidden, *weights)  # type: ignore[no-untyped-call]  # torch's
    return total


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Gradients are found on the way forwards, chunk by chunk, and only scaled on the way back."""

    @staticmethod
    def forward(ctx: Any, head: nn.Module, chunk: int, labels: Tensor, hidden: Tensor, *weights: Tensor) -> Tensor:
        total = torch.zeros((), device=hidden.device)
        by_hidden = torch.empty_like(hidden)
        by_weights = [torch.zeros_like(weight) for weight in weights]
        for start in range(0, len(labels), chunk):
            here = slice(start, start + chunk)
            loss, gradients = _loss_and_gradients(head, labels[here], hidden[here], weights)
            total += loss
            by_hidden[here] = gradients[0]
            for sum_so_far, gradient in zip(by_weights, gradients[1:], strict=True):
                sum_so_far += gradient
        ctx.save_for_backward(by_hidden, *by_weights)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, None, *(gradient * scale.to(gradient.dtype) for gradient in ctx.saved_tensors)


def _loss_and_gradients(
    head: Callable[[Tensor], Tensor], labels: Tensor, hidden: Tensor, weights: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The summed loss of one chunk and its gradients by (hidden, *weights)."""
    hidden = hidden.detach().requires_grad_()
    with torch.enable_grad():
        logits = head(hidden)
    scores, target = logits.detach().float(), labels[:, None]
    p = scores.softmax(-1)
    # log p(label) by way of the likeliest token, whose p cannot vanish: one exp less over the logits than log_softmax
    log_p = scores.gather(-1, target) - scores.amax(-1, keepdim=True) + p.amax(-1, keepdim=True).log()
    by_logits = p.scatter_add_(-1, target, -torch.ones_like(log_p))  # p - onehot(label)
    return -log_p.sum(), torch.autograd.grad(logits, (hidden, *weights), by_logits.to(logits.dtype))
