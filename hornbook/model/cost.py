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
from hornbook.model.encoder_decoder import EncoderDecoder, EncoderDecoderModel
from hornbook.model.models import AnyModel, Model
from hornbook.model.parallel import Parallel
from hornbook.model.pool import RowHead
from hornbook.model.residual import Residual
from hornbook.model.stack import LayerStack, Stack, Sublayer


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


def cost(config: Model, length: int | None = None) -> Cost:
    """Count a design, for passes over `length` tokens (None: its whole context); takes no memory."""
    with torch.device("meta"):
        model = config.build()
    parts: Counter[Part] = Counter()
    if isinstance(config, EncoderDecoder):
        assert isinstance(model, EncoderDecoderModel)
        embeddings = [model.source, model.target, model.encoder.position, model.decoder.position]
        stacks = {"encoder ": (config.encoder, model.encoder), "decoder ": (config.decoder, model.decoder)}
    else:
        assert not isinstance(model, EncoderDecoderModel)
        embeddings = [model.embed, model.stack.position]
        stacks = {"": (config.stack, model.stack)}
    parts[Part("embedding", _once(*embeddings), _matrices(*embeddings))] += 1
    for name, (design, stack) in stacks.items():
        _count_stack(parts, name, design, stack, length or config.length)
    if model.head is not None:
        parts[_head(model, length or config.length)] += 1
    for name in ("pair", "contacts"):
        if (beside := getattr(model, name, None)) is not None:
            parts[Part(name, _once(beside))] += 1
    return Cost(dict(parts))


def _count_stack(parts: Counter[Part], name: str, config: Stack, stack: LayerStack, length: int) -> None:
    """Every sublayer of a stack; one whose weights are used again costs operations again."""
    residuals = [module for layer in stack.layers for module in layer.children() if isinstance(module, Residual)]
    for sublayer, residual in zip((op for layer in config.plan() for op in layer), residuals, strict=True):
        op, kind = residual.op, name + _kind(sublayer)
        parts[Part(kind, _once(residual), op.flops(length), op.cache_elements())] += 1
        if config.repeats > 1:
            parts[Part(f"{kind} again", 0, op.flops(length), op.cache_elements())] += config.repeats - 1
    if _once(stack.final_norm):
        parts[Part(f"{name}final norm", _once(stack.final_norm))] += 1


def _kind(sublayer: Sublayer) -> str:
    """What a sublayer is called; of those side by side all are named."""
    if isinstance(sublayer, Parallel):
        return " + ".join(tag(type(branch)) for branch in sublayer.branches)
    return tag(type(sublayer))


def _head(model: AnyModel, length: int) -> Part:
    """The head; a tied matrix is counted with the embedding, one that reads whole rows takes its share per token."""
    tied = set(model.shared())
    names = dict(model.named_parameters(remove_duplicate=False))
    own = {name: p for name, p in names.items() if name.startswith("head.")}
    flops = 2 * sum(parameter.numel() for parameter in own.values() if parameter.dim() == 2)
    flops = flops // length if isinstance(model.head, RowHead) else flops
    parameters = sum(parameter.numel() for name, parameter in own.items() if name not in tied)
    return Part("head (tied)" if tied & set(own) else "head", parameters, flops)


def training_flops(config: Model, length: int | None = None) -> int:
    """Operations per token of a training step: forward, and twice that going back."""
    return 3 * cost(config, length).flops


def _matrices(*modules: nn.Module) -> int:
    """Operations per token of the matrices in some modules; looking rows up takes none."""
    linear = [module for each in modules for module in each.modules() if isinstance(module, nn.Linear)]
    return 2 * sum(module.weight.numel() for module in linear)


def _once(*modules: nn.Module) -> int:
    """Learned numbers of some modules; a parameter in two of them counts once."""
    found = {id(parameter): parameter.numel() for module in modules for parameter in module.parameters()}
    return sum(found.values())
