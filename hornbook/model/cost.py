"""What a model costs before it is built: parameters, floating-point operations and cache, sublayer by sublayer.

A forward pass takes two operations per weight of a matrix and token, plus 4 * heads * head_dim per token looked at
(scores and weighted sum); going back takes twice that. Over all this is the 6N + 12LHQT of PaLM (Chowdhery et al. 2022,
appendix B): attention counts as if nothing were hidden, so that the figure does not depend on the kernel. Left out, as
is usual: norms, activations, softmax, and looking a row up in an embedding.
"""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import nn

from hornbook.core.recipe import tag
from hornbook.model.models import Decoder
from hornbook.model.stack import Residual


@dataclass(frozen=True)
class Part:
    """One kind of sublayer with its norm, or another part of the model."""

    name: str
    parameters: int
    flops: int = 0  # forward, per token
    cache: int = 0  # numbers remembered per token while decoding


@dataclass(frozen=True)
class Cost:
    """The parts of a model, bottom to top, and how often each is there."""

    parts: dict[Part, int]

    @property
    def parameters(self) -> int:
        """All learned numbers; a tied head counts once."""
        return sum(times * part.parameters for part, times in self.parts.items())

    @property
    def flops(self) -> int:
        """Operations per token of a forward pass."""
        return sum(times * part.flops for part, times in self.parts.items())

    def cache_bytes(self, dtype: torch.dtype = torch.float32) -> int:
        """Bytes remembered per token and row while decoding."""
        return dtype.itemsize * sum(times * part.cache for part, times in self.parts.items())


def cost(config: Decoder, length: int | None = None) -> Cost:
    """Count a design, for passes over `length` tokens (None: its whole context); takes no memory."""
    with torch.device("meta"):
        model = config.build()
    parts = Counter([Part("embedding", _count(model.embed) + _count(model.stack.position))])
    residuals = [module for module in model.stack.modules() if isinstance(module, Residual)]
    sublayers = [sublayer for layer in config.stack.plan() for sublayer in layer]
    for sublayer, residual in zip(sublayers, residuals, strict=True):
        op = residual.op
        parts[Part(tag(type(sublayer)), _count(residual), op.flops(length or config.length), op.cache_elements())] += 1
    parts[Part("final norm", _count(model.stack.final_norm))] += 1
    matrix = _count(model.head)
    parts[Part("head (tied)", 0, 2 * matrix) if config.tied else Part("head", matrix, 2 * matrix)] += 1
    return Cost(dict(parts))


def training_flops(config: Decoder, length: int | None = None) -> int:
    """Operations per token of a training step: forward, and twice that going back."""
    return 3 * cost(config, length).flops


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
