"""QLoRA: LoRA beside matrices that are kept in half a byte a number (Dettmers et al. 2023, section 3).

The frozen matrix lies in NF4 (nf4.py) and is made fp32 for the moment of a product, on the way forwards and again on
the way back, so a model of a billion parameters needs half a GB while it learns. What is folded in at the end goes into
the numbers that NF4 kept, not into the ones the file had: it was learned beside those. Left out: paged optimizers.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.adapt.lora import Lora, LowRank
from hornbook.adapt.nf4 import Packed
from hornbook.model.blank import Linear


@dataclass(frozen=True, kw_only=True)
class Qlora(Lora):
    """What is put beside the matrices of a model, which are packed."""

    def beside(self, linear: Linear, generator: Generator) -> LowRank:
        """The adapter of one matrix, which moves into it."""
        return PackedLowRank(self, linear, generator)


class PackedLowRank(LowRank):
    """LoRA, and the matrix itself in NF4; the `Linear` is left with one of no rows."""

    def __init__(self, config: Lora, linear: Linear, generator: Generator) -> None:
        super().__init__(config, linear, generator)
        self.packed = Packed(linear.weight)
        self.dtype = linear.weight.dtype
        linear.weight = nn.Parameter(linear.weight.new_empty(0, linear.in_features), requires_grad=False)

    def forward(
        self,
        x: Float[Tensor, "*rows inputs"],
        weight: Tensor,  # noqa: ARG002 -- of no rows
        bias: Tensor | None,
    ) -> Float[Tensor, "*rows outputs"]:
        """What the packed matrix says of x, and what has been learned."""
        answer: Tensor = _Product.apply(x, self.packed, bias)  # type: ignore[no-untyped-call]  # torch's
        return self.onto(answer, x)

    def merged(self, weight: Tensor) -> Float[Tensor, "outputs inputs"]:  # noqa: ARG002 -- of no rows
        """The matrix in full, with what has been learned."""
        return (self.packed.matrix() + self.product()).to(self.dtype)


class _Product(torch.autograd.Function):
    """x W^T + b, where only the bytes of W are kept for the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, packed: Packed, bias: Tensor | None) -> Tensor:
        ctx.packed = packed
        return F.linear(x, packed.matrix().to(x.dtype), bias)

    @staticmethod
    def backward(ctx: Any, by_answer: Tensor) -> tuple[Tensor | None, ...]:
        return by_answer @ ctx.packed.matrix().to(by_answer.dtype), None, None
