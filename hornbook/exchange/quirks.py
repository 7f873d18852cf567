"""What the files of a family do that its table of weights does not say.

Names of old, heads that config.json does not mention, tensors that are computed and yet stored, tensors stored twice.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from torch import Tensor, nn

from hornbook.exchange.tensors import Tensors

Fields = Mapping[str, Any]  # a config.json


def _nothing(fields: Fields, names: Collection[str]) -> dict[str, Any]:  # noqa: ARG001 -- the signature of `unsaid`
    return {}


@dataclass(frozen=True)
class Quirks:
    """All fields are empty for a family that does nothing of the kind."""

    renamed: Mapping[str, str] = field(default_factory=dict)  # regular expressions of names of old -> what they are now
    unsaid: Callable[[Fields, Collection[str]], dict[str, Any]] = _nothing  # fields that the names of tensors tell of
    constants: Mapping[str, str] = field(default_factory=dict)  # computed and stored -> the plain tensor it is of ours
    twins: Mapping[str, str] = field(default_factory=dict)  # written where the other one is, and then of no effect

    def read(self, files: Tensors) -> "Renamed":
        """The tensors of a file by the names of today."""
        return Renamed(files, self.renamed)

    def take(self, model: nn.Module, files: Tensors, *, prefix: str) -> None:
        """Give the model the constants of a file, which may be rounded as the training rounded them."""
        for name, path in self.constants.items():
            stored = name.removeprefix(prefix)
            owner, _, leaf = path.rpartition(".")
            if stored in files.shapes:
                setattr(model.get_submodule(owner), leaf, files.get(stored).float())

    def beside(self, model: nn.Module, theirs: Mapping[str, Tensor], *, prefix: str) -> dict[str, Tensor]:
        """The tensors that a file has beside its weights."""
        twins = {twin: theirs[owner].clone() for twin, owner in self.twins.items() if owner in theirs}
        paths = {name.removeprefix(prefix): path for name, path in self.constants.items()}
        return twins | {name: tensor for name, path in paths.items() if (tensor := _tensor(model, path)) is not None}


def _tensor(model: nn.Module, path: str) -> Tensor | None:
    """A plain tensor of a model, None where it has none there."""
    owner, _, leaf = path.rpartition(".")
    tensor = getattr(attrgetter(owner)(model), leaf, None)
    return tensor if isinstance(tensor, Tensor) else None


class Renamed:
    """Tensors by other names than the file's."""

    def __init__(self, files: Tensors, rules: Mapping[str, str]) -> None:
        self.files, self.described = files, files.described
        self.names = {_renamed(name, rules): name for name in files.shapes}
        self.shapes = {name: files.shapes[theirs] for name, theirs in self.names.items()}

    def get(self, name: str) -> Tensor:
        """One tensor."""
        return self.files.get(self.names[name])

    def place(self, name: str) -> str:
        """The file and the tensor, by the name it has there."""
        return self.files.place(self.names.get(name, name))


def _renamed(name: str, rules: Mapping[str, str]) -> str:
    for pattern, replacement in rules.items():
        name = re.sub(pattern, replacement, name)
    return name
