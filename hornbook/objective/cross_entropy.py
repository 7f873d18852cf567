"""Cross-entropy over a vocabulary: of every trained place, summed, without ever holding all the logits.

With a vocabulary of 50k the logits of 8k tokens are 1.6 GB, and their gradient as much again. Here a chunk of tokens
at a time goes through the head, forwards and at once backwards, and only the gradients of the hidden states and of the
head are kept: no product is done twice (as in Hsu et al. 2024, Liger Kernel). Label smoothing (Szegedy et al. 2016,
section 7) asks for a little of every token instead of one alone. Leaves out z-loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.model import native
from hornbook.objective.batch import IGNORED

CHUNK = 512  # tokens; the fastest, in bf16 by a tenth: see docs/optimizers.md


def cross_entropy(
    hidden: Tensor, labels: Tensor, head: nn.Module, *, smoothing: float = 0.0, chunk: int = CHUNK
) -> Tensor:
    """The sum of -log p(label) over the labels that are not ignored; equal to `F.cross_entropy(head(hidden), ...)`.

    hidden (..., dim), labels (...) -> scalar. The head's parameters get their gradients when the result is propagated.
    smoothing: share of the answer that is spread evenly over the vocabulary (torch's `label_smoothing`).
    """
    hidden, labels = _trained(hidden, labels)
    if not torch.is_grad_enabled():
        pairs = zip(torch.split(hidden, chunk), torch.split(labels, chunk), strict=True)
        losses = [F.cross_entropy(head(h).float(), y, reduction="sum", label_smoothing=smoothing) for h, y in pairs]
        return torch.stack(losses).sum()
    weights = [weight for weight in head.parameters() if weight.requires_grad]
    how = _How(head, chunk, smoothing)
    total: Tensor = _ChunkedCrossEntropy.apply(how, labels, hidden, *weights)  # type: ignore[no-untyped-call]  # torch's
    return total


@torch.no_grad()
def right(hidden: Tensor, labels: Tensor, head: nn.Module, *, chunk: int = CHUNK) -> int:
    """How many of the trained labels are the likeliest token."""
    hidden, labels = _trained(hidden, labels)
    pairs = zip(torch.split(hidden, chunk), torch.split(labels, chunk), strict=True)
    return sum(int((head(h).argmax(-1) == y).sum()) for h, y in pairs)


def _trained(hidden: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """(places, dim) and (places,): those with a label; the rest need no logits at all."""
    hidden, labels = hidden.flatten(0, -2), labels.flatten()
    trained = labels != IGNORED
    return (hidden, labels) if trained.all() else (hidden[trained], labels[trained])


@dataclass(frozen=True)
class _How:
    head: Callable[[Tensor], Tensor]
    chunk: int
    smoothing: float


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Gradients are found on the way forwards, chunk by chunk, and only scaled on the way back."""

    @staticmethod
    def forward(ctx: Any, how: _How, labels: Tensor, hidden: Tensor, *weights: Tensor) -> Tensor:
        total = torch.zeros((), device=hidden.device)
        by_hidden = torch.empty_like(hidden)
        by_weights = [torch.zeros_like(weight) for weight in weights]
        for start in range(0, len(labels), how.chunk):
            here = slice(start, start + how.chunk)
            loss, gradients = _loss_and_gradients(how, labels[here], hidden[here], weights)
            total += loss
            by_hidden[here] = gradients[0]
            for sum_so_far, gradient in zip(by_weights, gradients[1:], strict=True):
                sum_so_far += gradient
        ctx.save_for_backward(by_hidden, *by_weights)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, *(gradient * scale.to(gradient.dtype) for gradient in ctx.saved_tensors)


def _loss_and_gradients(
    how: _How, labels: Tensor, hidden: Tensor, weights: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The summed loss of one chunk and its gradients by (hidden, *weights)."""
    hidden = hidden.detach().requires_grad_()
    with torch.enable_grad():
        logits = how.head(hidden)
    wanted, spread = 1 - how.smoothing, how.smoothing / logits.shape[-1]
    found = native.cross_entropy(logits.detach(), labels, wanted=wanted, spread=spread)
    loss, by_logits = found or _by_hand(logits.detach().float(), labels, wanted, spread)
    return loss, torch.autograd.grad(logits, (hidden, *weights), by_logits.to(logits.dtype))


def _by_hand(scores: Tensor, labels: Tensor, wanted: float, spread: float) -> tuple[Tensor, Tensor]:
    """The same as `native.cross_entropy`, for other numbers than bf16 (no kernel was faster) and other machines."""
    target = labels[:, None]
    p = scores.softmax(-1)
    # log p by way of the likeliest token, whose p cannot vanish: one exp less over the logits than log_softmax
    log_sum = scores.amax(-1, keepdim=True) - p.amax(-1, keepdim=True).log()
    log_p = scores.gather(-1, target) - log_sum
    by_logits = p.scatter_add_(-1, target, torch.full_like(log_p, -wanted))  # p - wanted for the label - spread for all
    loss = -wanted * log_p.sum()
    if spread:
        loss = loss - spread * (scores - log_sum).sum()
        by_logits -= spread
    return loss, by_logits
