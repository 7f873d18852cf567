"""Names of weights, theirs and ours: one table per family, read in both directions.

    Weight("model.layers.{layer}.self_attn.q_proj.*", ("stack.layers.{layer}.0.op.query.*",))

says where the query's weight and (`*`) bias of every layer are. Several of ours may make one of theirs, in a `Layout`.
What a model does not have (no bias, no QK-norm, a head of its own) drops out, so one table serves a whole family.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
Table = tuple["Weight", ...]
INDICES = ("layer", "expert")  # the numbers a row may stand for, written {layer}


class Layout(Protocol):
    """How several tensors of ours lie in one of theirs."""

    def shape(self, parts: Sequence[Shape]) -> Shape:
        """The shape of theirs."""
        ...

    def split(self, tensor: Tensor, parts: Sequence[Shape]) -> list[Tensor]:
        """Take theirs apart; what can stay where it is, is not copied."""
        ...

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        """Put ours together."""
        ...


@dataclass(frozen=True)
class Rows:
    """One after the other."""

    def shape(self, parts: Sequence[Shape]) -> Shape:
        return (sum(part[0] for part in parts), *parts[0][1:])

    def split(self, tensor: Tensor, parts: Sequence[Shape]) -> list[Tensor]:
        return list(torch.split(tensor, [part[0] for part in parts]))

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(tensors)) if len(tensors) > 1 else tensors[0]


@dataclass(frozen=True)
class Transposed(Rows):
    """One after the other, matrices as (inputs, outputs): GPT-1 and GPT-2."""

    def shape(self, parts: Sequence[Shape]) -> Shape:
        return super().shape(parts)[::-1]  # a bias reads the same from both ends

    def split(self, tensor: Tensor, parts: Sequence[Shape]) -> list[Tensor]:
        return super().split(tensor.T.contiguous() if tensor.dim() == 2 else tensor, parts)

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        whole = super().join(tensors)
        return whole.T if whole.dim() == 2 else whole


@dataclass(frozen=True)
class Interleaved(Rows):
    """Taking turns, group by group: the query, key and value of each head (GPT-NeoX, BLOOM, Falcon)."""

    groups: int

    def split(self, tensor: Tensor, parts: Sequence[Shape]) -> list[Tensor]:
        sizes = [part[0] // self.groups for part in parts]
        return [turn.flatten(0, 1) for turn in torch.split(self._grouped(tensor), sizes, dim=1)]

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat([self._grouped(tensor) for tensor in tensors], dim=1).flatten(0, 1)

    def _grouped(self, tensor: Tensor) -> Tensor:
        return tensor.reshape(self.groups, -1, *tensor.shape[1:])


@dataclass(frozen=True)
class Reshaped:
    """One tensor whose numbers stand in the same order under other axes; -1 in `axes` is what is left."""

    axes: Shape

    def shape(self, parts: Sequence[Shape]) -> Shape:
        known = -math.prod(self.axes)
        return tuple(math.prod(parts[0]) // known if axis == -1 else axis for axis in self.axes)

    def split(self, tensor: Tensor, parts: Sequence[Shape]) -> list[Tensor]:
        return [tensor.reshape(parts[0])]

    def join(self, tensors: Sequence[Tensor]) -> Tensor:
        return tensors[0].reshape(self.axes)


ROWS, TRANSPOSED = Rows(), Transposed()


@dataclass(frozen=True)
class Weight:
    """One tensor of theirs and the tensors of ours in it; or a row of a table, that stands for many."""

    theirs: str
    ours: tuple[str, ...]
    layout: Layout = ROWS

    def shape(self, shapes: Shapes) -> Shape:
        """The shape theirs must have, from the shapes of ours."""
        return self.layout.shape([shapes[name] for name in self.ours])

    def to_ours(self, tensor: Tensor, shapes: Shapes) -> dict[str, Tensor]:
        """Take theirs apart."""
        return dict(zip(self.ours, self.layout.split(tensor, [shapes[name] for name in self.ours]), strict=True))

    def to_theirs(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Put ours together."""
        return self.layout.join([tensors[name] for name in self.ours]).contiguous()


def expand(table: Iterable[Weight], shapes: Shapes) -> Iterator[Weight]:
    """The rows of a table that a model of these shapes has; every tensor of ours must be in one."""
    left = set(shapes)
    for row in table:
        pattern = _pattern(row.ours[0])
        for found in [match for name in shapes if (match := pattern.fullmatch(name))]:
            theirs, *ours = (_filled(name, found.groupdict()) for name in (row.theirs, *row.ours))
            if left.issuperset(ours):
                left.difference_update(ours)
                yield Weight(theirs, tuple(ours), row.layout)
    assert not left, f"the family's table has no row for {sorted(left)[:3]}"


def _pattern(name: str) -> re.Pattern[str]:
    """What `stack.layers.{layer}.0.norm.*` stands for."""
    pattern = re.escape(name).replace(r"\*", "(?P<kind>weight|bias)")
    for index in INDICES:
        pattern = pattern.replace(rf"\{{{index}\}}", rf"(?P<{index}>\d+)")
    return re.compile(pattern)


def _filled(name: str, found: Mapping[str, str]) -> str:
    for index in INDICES:
        name = name.replace(f"{{{index}}}", found.get(index, ""))
    return name.replace("*", found.get("kind", ""))
