"""Adapters: a model is frozen and learns by a few numbers beside its matrices; afterwards these are folded in.

    attach(model, Lora(rank=8), generator)    # in place: says what it said, and only the adapter learns
    ...                                       # train it like any model; checkpoints hold the adapter alone
    merge(model)                              # in place: an ordinary model again, that says what the adapted one said

The kinds are in lora.py, dora.py and qlora.py; a matrix is a `Linear` (model/blank.py), which asks its adapter.
"""

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from fnmatch import fnmatchcase

import torch
from torch import Generator, nn

from hornbook.adapt.dora import Dora
from hornbook.adapt.lora import Lora, LowRank
from hornbook.adapt.qlora import Qlora
from hornbook.core.errors import UserError
from hornbook.model.blank import Linear
from hornbook.model.shape import ModelBase

Adapter = Lora | Dora | Qlora
LEFT_OUT = ("*.router", "*.step")  # where tokens go is left alone; Mamba reads `step` without asking its adapter


def attach(model: nn.Module, adapter: Adapter, generator: Generator) -> None:
    """Freeze a model and put an adapter beside each of its targets, in place; it says what it said before.

    (With `Qlora` what it says is that of the packed matrices.)
    """
    configs = dict.fromkeys(targets(model, adapter.targets), adapter)
    attach_each(model, configs, learning_whole(model, adapter.full), generator)


def attach_each(model: nn.Module, adapters: Mapping[str, Adapter], whole: Set[str], generator: Generator) -> None:
    """Put an adapter of its own beside each named matrix; of all others the parameters `whole` learn too."""
    if is_adapted(model):
        raise UserError("adapter: the model has one already; merge that first")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in whole)
    for name, adapter in adapters.items():
        linear = model.get_submodule(name)
        assert isinstance(linear, Linear)
        linear.adapter = adapter.beside(linear, generator).train(linear.training)


def merge(model: nn.Module) -> None:
    """Fold the adapters into their matrices, in place: an ordinary model, all of which may learn again."""
    for linear in adapted(model).values():
        _fold(linear)
    model.requires_grad_(True)


@contextmanager
def folded(model: nn.Module) -> Iterator[None]:
    """Within it the model is as `merge` would make it, to be saved; afterwards it goes on learning."""
    before = [(linear, linear.weight, linear.adapter) for linear in adapted(model).values()]
    try:
        for linear, _, _ in before:
            _fold(linear)
        yield
    finally:
        for linear, weight, adapter in before:
            linear.weight, linear.adapter = weight, adapter


def is_adapted(model: nn.Module) -> bool:
    """Whether a model has an adapter."""
    return any(isinstance(module, LowRank) for module in model.modules())


def adapted(model: nn.Module) -> dict[str, Linear]:
    """The matrices that have an adapter, by name."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, Linear) and isinstance(module.adapter, LowRank)
    }


def targets(model: nn.Module, patterns: tuple[str, ...]) -> dict[str, Linear]:
    """The matrices that patterns name."""
    linears = {name: module for name, module in model.named_modules() if isinstance(module, Linear)}
    free = {name: linear for name, linear in linears.items() if not _named(name, LEFT_OUT)}
    tied = model.shared() if isinstance(model, ModelBase) else {}
    for pattern in patterns:
        named = [name for name in free if _named(name, (pattern,))]
        if not named:
            there = ", ".join(sorted({name.rpartition(".")[2] for name in free}))
            raise UserError(f"adapter.targets: {pattern!r} names no matrix of the model; it has {there}")
        for name in named:
            if f"{name}.weight" in tied:
                raise UserError(
                    f"adapter.targets: {pattern!r} names {name}, which is the embedding's table too, and what is "
                    "learned could not be folded in; leave it out, or name `embed` in `full`"
                )
    return {name: linear for name, linear in free.items() if _named(name, patterns)}


def learning_whole(model: nn.Module, patterns: tuple[str, ...]) -> set[str]:
    """The parameters of the modules that patterns name."""
    names = [name for name, _ in model.named_parameters()]
    for pattern in patterns:
        if not any(_within(name, pattern) for name in names):
            there = ", ".join(sorted({name.partition(".")[0] for name in names}))
            raise UserError(f"adapter.full: {pattern!r} names no module of the model; it has {there}")
    return {name for name in names if any(_within(name, pattern) for pattern in patterns)}


def _named(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a pattern is this name or the end of it: `query` is every layer's."""
    return any(fnmatchcase(f".{name}", pattern if pattern[0] == "*" else f"*.{pattern}") for pattern in patterns)


def _within(name: str, pattern: str) -> bool:
    """Whether a parameter is in a module of this name."""
    parts = name.split(".")
    return any(_named(".".join(parts[:end]), (pattern,)) for end in range(1, len(parts) + 1))


def _fold(linear: Linear) -> None:
    assert isinstance(linear.adapter, LowRank)
    with torch.no_grad():
        linear.weight = nn.Parameter(linear.adapter.merged(linear.weight), requires_grad=False)
    linear.adapter = None
