"""A loss over a vocabulary, summed a chunk of tokens at a time: forwards and at once backwards, as in cross_entropy.py.

For losses that torch differentiates by itself. Of each chunk only the gradients of the student's hidden states and of
the head's weights are kept, so the logits of all tokens never exist together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

CHUNK = 512  # tokens; two sets of logits at a time, so half of cross_entropy.py's

LossOf = Callable[..., Tensor]
"""(hidden, *others) of a chunk -> its summed loss, a scalar; calls the head itself."""


def chunked_sum(loss: LossOf, head: nn.Module, hidden: Tensor, *others: Tensor, chunk: int = CHUNK) -> Tensor:
    """`loss(hidden, *others)` of all places, as the sum over chunks of them.

    hidden (places, dim) is differentiated, and so are the head's weights; others (places, ...) are not.
    """
    if not torch.is_grad_enabled():
        parts = [loss(*part) for part in _parts((hidden, *others), chunk)]
        return torch.stack(parts).sum() if parts else hidden.new_zeros(())
    weights = [weight for weight in head.parameters() if weight.requires_grad]
    how = _How(loss, others, chunk)
    total: Tensor = _ChunkedSum.apply(how, hidden, *weights)  # type: ignore[no-untyped-call]  # torch's
    return total


@dataclass(frozen=True)
class _How:
    loss: LossOf
    others: Sequence[Tensor]
    chunk: int


class _ChunkedSum(torch.autograd.Function):
    """Gradients are found on the way forwards and only scaled on the way back."""

    @staticmethod
    def forward(ctx: Any, how: _How, hidden: Tensor, *weights: Tensor) -> Tensor:
        total = torch.zeros((), device=hidden.device)
        by_hidden, by_weights = torch.zeros_like(hidden), [torch.zeros_like(weight) for weight in weights]
        for start, part in zip(range(0, len(hidden), how.chunk), _parts((hidden, *how.others), how.chunk), strict=True):
            here, *others = part
            here = here.detach().requires_grad_()
            with torch.enable_grad():
                loss = how.loss(here, *others)
            first, *rest = torch.autograd.grad(loss, (here, *weights))
            total += loss.detach()
            by_hidden[start : start + how.chunk] = first
            for so_far, gradient in zip(by_weights, rest, strict=True):
                so_far += gradient
        ctx.save_for_backward(by_hidden, *by_weights)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        return None, *(gradient * scale.to(gradient.dtype) for gradient in ctx.saved_tensors)


def _parts(tensors: Sequence[Tensor], chunk: int) -> list[tuple[Tensor, ...]]:
    """The same places of all tensors, chunk by chunk; none where there is no place."""
    if not len(tensors[0]):
        return []
    return list(zip(*(torch.split(tensor, chunk) for tensor in tensors), strict=True))
