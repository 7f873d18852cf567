"""Names of weights, theirs and ours: one table per family, read in both directions.

    Weight("model.layers.{layer}.self_attn.q_proj.*", ("stack.layers.{layer}.0.op.query.*",))

says where the query's weight and (`*`) bias of every layer are. Several of ours may make one of theirs, by rows.
What a model does not have (no bias, no QK-norm, a head of its own) drops out, so one table serves a whole family.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Weight:
    """One tensor of theirs and the tensors of ours in it; or a row of a table, that stands for many."""

    theirs: str
    ours: tuple[str, ...]
    transposed: bool = False  # their matrices are (inputs, outputs), as GPT-2 keeps them

    def named(self, layer: int, kind: str) -> "Weight":
        """The row for one layer and one of weight and bias."""
        theirs, *ours = (name.replace("{layer}", str(layer)).replace("*", kind) for name in (self.theirs, *self.ours))
        return Weight(theirs, tuple(ours), self.transposed)

    def shape(self, shapes: Shapes) -> tuple[int, ...]:
        """The shape theirs must have, from the shapes of ours."""
        rows = sum(shapes[name][0] for name in self.ours)
        shape = (rows, *shapes[self.ours[0]][1:])
        return shape[::-1] if self.transposed else shape  # a bias reads the same from both ends

    def to_ours(self, tensor: Tensor, shapes: Shapes) -> dict[str, Tensor]:
        """Take theirs apart; what can stay where it is, is not copied."""
        if self.transposed and tensor.dim() == 2:
            tensor = tensor.T.contiguous()
        parts = torch.split(tensor, [shapes[name][0] for name in self.ours])
        return dict(zip(self.ours, parts, strict=True))

    def to_theirs(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Put ours together."""
        tensor = torch.cat([tensors[name] for name in self.ours]) if len(self.ours) > 1 else tensors[self.ours[0]]
        return (tensor.T if self.transposed and tensor.dim() == 2 else tensor).contiguous()


def expand(table: Iterable[Weight], shapes: Shapes, layers: int) -> Iterator[Weight]:
    """The rows of a table that a model of these shapes has; every tensor of ours must be in one."""
    left = set(shapes)
    for row in table:
        for layer in range(layers if "{layer}" in row.theirs else 1):
            for kind in ("weight", "bias") if "*" in row.theirs else ("",):
                weight = row.named(layer, kind)
                if left.issuperset(weight.ours):
                    left.difference_update(weight.ours)
                    yield weight
    assert not left, f"the family's table has no row for {sorted(left)[:3]}"
