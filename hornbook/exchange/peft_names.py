"""Which module of a Hugging Face model each matrix of ours is, as an adapter's file names it; both ways."""

import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.exchange import families, low_rank
from hornbook.exchange.folder import writes_bare
from hornbook.exchange.low_rank import Learned
from hornbook.exchange.weights import Shapes, Transposed, Weight
from hornbook.model.models import Model

DOWN, UP = ".lora_A.weight", ".lora_B.weight"
MAGNITUDES = (".lora_magnitude_vector", ".lora_magnitude_vector.weight")


@dataclass(frozen=True)
class Found:
    """The tensors of an adapter's file by the names of the base."""

    tensors: Mapping[str, Tensor]
    place: str  # what stands before a name in an error

    def refuse(self, name: str, wanted: str) -> UserError:
        """What to say of a tensor that does not fit."""
        return UserError(
            f"{self.place}{name} is {tuple(self.tensors[name].shape)}, and the base model {wanted}; "
            "it is the adapter of another model, name its own with base"
        )


@dataclass(frozen=True)
class Names:
    """The tensors of a model by both names."""

    architecture: str
    weights: Mapping[str, Weight]  # by the name of theirs
    shapes: Shapes  # of ours
    copies: Mapping[str, str]  # tensors of theirs that are tied to another

    def joined(self, learned: Mapping[str, Learned]) -> dict[str, Learned]:
        """Module of theirs -> what it learned."""
        found = {}
        for name, weight in self.weights.items():
            ours = [own.removesuffix(".weight") for own in weight.ours]
            missing = [own for own in ours if own not in learned]
            if len(missing) == len(ours):
                continue
            if missing:
                raise UserError(
                    f"adapter.targets: {ours[0]} and {missing[0]} are one matrix in the family's files; name both"
                )
            found[name.removesuffix(".weight")] = low_rank.join(weight, [learned[own] for own in ours])
        return found

    def split(self, found: Found, scale: Callable[[str, int], float]) -> dict[str, Learned]:
        """Matrix of ours -> what it learned."""
        ours: dict[str, Learned] = {}
        for name in [name.removesuffix(DOWN) for name in found.tensors if name.endswith(DOWN)]:
            learned = self._learned(name, found, scale)
            weight = self.weights[f"{name}.weight"]
            parts = low_rank.split(weight, learned, [self.shapes[own][0] for own in weight.ours])
            ours |= {own.removesuffix(".weight"): part for own, part in zip(weight.ours, parts, strict=True)}
        return ours

    def _learned(self, name: str, found: Found, scale: Callable[[str, int], float]) -> Learned:
        """What a module of theirs has learned, if it fits."""
        weight = self.weights.get(f"{name}.weight")
        if weight is None:
            raise found.refuse(name + DOWN, f"has no matrix {name}")
        down, up = found.tensors[name + DOWN], found.tensors.get(name + UP)
        outputs, inputs = sum(self.shapes[own][0] for own in weight.ours), self.shapes[weight.ours[0]][-1]
        wanted = f"has {inputs} inputs and {outputs} outputs there"
        if down.dim() != 2 or down.shape[1] != inputs:
            raise found.refuse(name + DOWN, wanted)
        if up is None or up.shape != (outputs, len(down)):
            raise found.refuse(name + (DOWN if up is None else UP), wanted)
        lengths = next((found.tensors[name + end] for end in MAGNITUDES if name + end in found.tensors), None)
        return Learned(down.float(), up.float(), scale(name, len(down)), None if lengths is None else lengths.float())

    def whole(self, ours: Set[str], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The parameters that learned whole and what else their modules have: PEFT keeps whole modules.

        What is tied to one of them is written too: PEFT unties it.
        """
        rows = {**self.weights} | {twin: self.weights[owner] for twin, owner in self.copies.items()}
        modules = {_module(name) for name, weight in rows.items() if not ours.isdisjoint(weight.ours)}
        return {name: weight.to_theirs(state) for name, weight in rows.items() if _module(name) in modules}

    def whole_of_ours(self, found: Found) -> dict[str, Tensor]:
        """The parameters of ours that a file has whole."""
        ours: dict[str, Tensor] = {}
        for name, tensor in found.tensors.items():
            if name in self.copies or (".lora_" in name and name.endswith((DOWN, UP, *MAGNITUDES))):
                continue
            weight = self.weights.get(name)
            if weight is None:
                raise found.refuse(name, "has no such tensor")
            if weight.shape(self.shapes) != tuple(tensor.shape):
                raise found.refuse(name, f"has {weight.shape(self.shapes)} there")
            ours |= weight.to_ours(tensor, self.shapes)
        return ours

    def short(self, modules: set[str]) -> list[str]:
        """The last words of these modules' names where they mean no other module, else whole names."""
        every = {_module(name) for name in self.weights}
        alone = {_last(name) for name in modules} - {_last(name) for name in every - modules}
        return sorted({_last(name) if _last(name) in alone else name for name in modules})

    def transposed(self, modules: Iterable[str]) -> bool:
        """Whether their matrices lie as (inputs, outputs)."""
        return any(isinstance(self.weights[f"{name}.weight"].layout, Transposed) for name in modules)


def of(config: Model, family: str | None) -> Names:
    """The names of a design, which must not have an adapter yet or any more: only its shapes are looked at."""
    fields: dict[str, Any] = families.fields_of(config, family)
    with torch.device("meta"):
        plain = config.build()
    again = plain.shared()
    shapes = {name: tuple(tensor.shape) for name, tensor in plain.state_dict().items() if name not in again}
    bare = writes_bare(fields)
    weights = {each.theirs: each for each in families.weights_of(fields, config, shapes, bare=bare)}
    architecture = (fields.get("architectures") or [""])[0]
    return Names(architecture, weights, shapes, _tied(fields, weights, bare=bare))


def _tied(fields: Mapping[str, Any], weights: Mapping[str, Weight], *, bare: bool) -> dict[str, str]:
    """The tensors of theirs that are another one -> that one."""
    if fields["model_type"] == families.OURS:
        return {}
    family = families.family_of(fields)
    prefix = family.prefix if bare else ""
    copies = {twin.removeprefix(prefix): owner.removeprefix(prefix) for twin, owner in family.copies.items()}
    return {twin: owner for twin, owner in copies.items() if twin not in weights and owner in weights}


def pattern_value(patterns: Mapping[str, Any], name: str, usual: Any) -> Any:
    """The value of the first pattern that is a module's name or its end.

    >>> pattern_value({"q_proj": 4}, "model.layers.0.self_attn.q_proj", 8)
    4
    """
    return next((value for key, value in patterns.items() if re.fullmatch(rf"(.*\.)?({key})", name)), usual)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _module(name: str) -> str:
    return name.rpartition(".")[0]
