"""Adapters in folders: what a model learned beside its frozen weights, saved and put on again in PEFT's layout."""

from pathlib import Path
from typing import Protocol

import torch

from hornbook.adapt.adapter import adapted, attach_each, is_adapted
from hornbook.adapt.dora import Decomposed, Dora
from hornbook.adapt.lora import Lora, LowRank, Scaling
from hornbook.core.errors import UserError
from hornbook.exchange import peft
from hornbook.exchange.low_rank import Learned
from hornbook.exchange.peft import Content
from hornbook.model.models import AnyModel

FOLDER = "adapter"  # beside a run's model


class Saves(Protocol):
    """A model with its tokenizer: language_model.py."""

    module: AnyModel

    def save(self, folder: str | Path) -> None: ...


def save(model: Saves, folder: Path, *, base: str | Path) -> None:
    """Write a trained model's folder: an adapter is folded in, and lies by itself in `adapter/` beside it.

    base: the model that training began with, where the adapter will look for it.
    """
    model.save(folder)
    if is_adapted(model.module):
        write(model.module, folder.parent / FOLDER, base=base)


def write(module: AnyModel, folder: Path, *, base: str | Path) -> None:
    """Write the adapter of a model alone."""
    layers = {name: linear.adapter for name, linear in adapted(module).items()}
    learned = {name: _learned(layer) for name, layer in layers.items() if isinstance(layer, LowRank)}
    if not learned:
        raise UserError(f"{folder}: the model has no adapter to save; save the model")
    whole = {
        name: parameter.detach()
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and ".adapter." not in name
    }
    config = next(layer.config for layer in layers.values() if isinstance(layer, LowRank))
    where = str(Path(base).resolve()) if str(base) and Path(base).exists() else str(base)
    content = Content(learned, whole, config.scaling == "root", config.dropout, where)
    peft.write(content, module, folder)


def put_on(module: AnyModel, folder: Path) -> None:
    """Put the adapter of a folder on the model it belongs to, in place; refused on another."""
    content = peft.read(folder, module)
    configs = {name: _config(name, learned, content) for name, learned in content.learned.items()}
    attach_each(module, configs, set(content.whole), torch.Generator())
    with torch.no_grad():
        for name, linear in adapted(module).items():
            learned, layer = content.learned[name], linear.adapter
            assert isinstance(layer, LowRank)
            layer.down.copy_(learned.down)
            layer.up.copy_(learned.up)
            if isinstance(layer, Decomposed) and learned.magnitude is not None:
                layer.magnitude.copy_(learned.magnitude)
        for name, tensor in content.whole.items():
            module.get_parameter(name).copy_(tensor)


def _learned(layer: LowRank) -> Learned:
    lengths = layer.magnitude.detach() if isinstance(layer, Decomposed) else None
    return Learned(layer.down.detach(), layer.up.detach(), layer.config.scale, lengths)


def _config(name: str, learned: Learned, content: Content) -> Lora:
    """What would have put this adapter beside this matrix."""
    kind = Lora if learned.magnitude is None else Dora
    alpha = learned.scale * (learned.rank**0.5 if content.rooted else learned.rank)
    scaling: Scaling = "root" if content.rooted else "rank"
    return kind(rank=learned.rank, alpha=alpha, scaling=scaling, dropout=content.dropout, targets=(name,))
