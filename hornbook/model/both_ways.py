"""A decoder that looks ahead as well: its attention without the causal mask, its weights as they were.

LLM2Vec (BehnamGhader et al. 2024, section 2.1, step 1) and label-supervised LLaMA (Li et al. 2023) take the mask away,
so that every token sees the whole text. What comes of it writes no more, since its training foresaw tokens that it now
sees; it is read: as vectors or as a class. Recurrent sublayers have an order that cannot be taken away.
"""

from dataclasses import replace
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.recipe import tag
from hornbook.model.attention import Attention, SelfAttention
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.model.experts import Experts
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.parallel import Parallel
from hornbook.model.stack import Stack


def look_both_ways(model: DecoderModel) -> None:
    """Take the causal mask from a model, in place; a second time changes nothing."""
    model.config = replace(model.config, stack=without_order(model.config.stack))
    for op in model.modules():
        if isinstance(op, SelfAttention):
            op.config = replace(op.config, causal=False)


def looks_ahead(config: Decoder) -> bool:
    """Whether some sublayer of a design sees what comes after a token."""
    return any(isinstance(op, Attention) and not op.causal for layer in config.stack.plan() for op in _flat(layer))


def without_order(stack: Stack) -> Stack:
    """The design of a stack whose tokens all see each other; UserError where a sublayer goes from left to right."""
    if isinstance(stack.layer, dict):
        return replace(stack, layer={name: _layer(layer) for name, layer in stack.layer.items()})
    return replace(stack, layer=_layer(stack.layer))


def _layer(layer: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_sublayer(op) for op in layer)


def _sublayer(op: Any) -> Any:
    match op:
        case Attention():
            return replace(op, causal=False)
        case Parallel():
            return replace(op, branches=_layer(op.branches))
        case MLP() | GatedMLP() | Experts():
            return op
    raise UserError(
        f"stack.layer: {tag(type(op))} reads from left to right and cannot look ahead; take a model of attention alone"
    )


def _flat(layer: tuple[Any, ...]) -> list[Any]:
    return [inner for op in layer for inner in (op.branches if isinstance(op, Parallel) else (op,))]
