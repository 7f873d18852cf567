"""What a layer keeps for going back, counted: one layer runs forwards on the meta device, and autograd's list is read.

Nothing is calculated and nothing allocated, so that a layer of 175B parameters takes milliseconds. Squares of scores
are left out, as attention in tiles keeps none (Dao et al. 2022, FlashAttention). Where an operation cannot run there
(a mixture's counting, a scan), the widths of the layer's matrices stand for it, and `counted` is False.
"""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from hornbook.model.cost import cost
from hornbook.model.embed import Tokens
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.model.models import Model


@dataclass(frozen=True)
class Kept:
    """Numbers a token leaves in a layer until the way back, and whether they were counted."""

    numbers: float
    counted: bool


@lru_cache(maxsize=64)
def kept(model: Model, length: int) -> Kept:
    """Numbers kept per token and layer, in rows of `length` tokens."""
    if isinstance(model, EncoderDecoder) or not isinstance(model.embed, Tokens):
        return _by_widths(model)
    one = dataclasses.replace(model, stack=dataclasses.replace(model.stack, layers=1))
    try:
        tokens = length - 1 + length % 2  # odd: a head's width is even, and must not pass for a square of scores
        return Kept(_saved(one, tokens) / tokens, counted=True)
    except (NotImplementedError, RuntimeError):  # what has no meta kernel says so in one of these two ways
        return _by_widths(model)


def _saved(model: Model, length: int) -> float:
    """Numbers in what autograd keeps of a row, weights apart; a storage kept twice counts once."""
    with torch.device("meta"):
        built: nn.Module = model.build().train()
        ids = torch.zeros(1, length, dtype=torch.long)
    own = {each.untyped_storage()._cdata for each in built.parameters()}
    held: list[Tensor] = []
    sizes: dict[int, float] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        square = tensor.dim() > 2 and tensor.shape[-1] == tensor.shape[-2] == length
        if storage._cdata not in own and not square:
            sizes[storage._cdata] = storage.nbytes() / 4
            held.append(tensor)  # an address is no other tensor's while this one lives
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        built(ids, logits=False)
    return sum(sizes.values())


def _by_widths(model: Model) -> Kept:
    """Every matrix keeps what went in and what came out."""
    parts = cost(model).parts.items()
    widths = sum(part.parameters // model.dim * times for part, times in parts if part.cache or "mlp" in part.name)
    return Kept(2 * widths / layers(model), counted=False)


def layers(model: Model) -> int:
    """Layers of all stacks together; one that is gone through again keeps activations each time."""
    stacks = [model.encoder, model.decoder] if isinstance(model, EncoderDecoder) else [model.stack]
    return sum(stack.layers * stack.repeats for stack in stacks)
