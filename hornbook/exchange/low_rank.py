"""What a matrix has learned, and how it lies in the matrices of other programs.

A matrix W that learned by an adapter is W + scale * up @ down, the rows stretched to `magnitude` where that is learned
too. Where a family keeps several of our matrices as one (GPT-2's query, key and value), what they learned is one as
well: the `down`s one below the other, the `up`s as blocks of a diagonal. Nothing is lost: the rank is the sum. The way
back gives each of ours its rows of `up`, with all of `down` or, where `up` is made of such blocks, with its own part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.exchange.weights import ROWS, Layout, Reshaped, Transposed, Weight


@dataclass(frozen=True)
class Learned:
    """Of one matrix."""

    down: Float[Tensor, "rank inputs"]
    up: Float[Tensor, "outputs rank"]
    scale: float
    magnitude: Float[Tensor, " outputs"] | None = None  # of each row (DoRA)

    @property
    def rank(self) -> int:
        return len(self.down)


def join(weight: Weight, ours: Sequence[Learned]) -> Learned:
    """What the matrix of theirs has learned whose parts are ours."""
    layout, scale = _rows(weight), ours[0].scale
    if len({each.scale for each in ours}) > 1:
        raise UserError(f"{weight.theirs} is one matrix to other programs, and its parts learned at different scales")
    before, ups = 0, []
    for each in ours:
        ups.append(F.pad(each.up, (before, sum(other.rank for other in ours) - before - each.rank)))
        before += each.rank
    lengths = [each.magnitude for each in ours if each.magnitude is not None]
    down = torch.cat([each.down for each in ours])
    return Learned(down, layout.join(ups), scale, layout.join(lengths) if lengths else None)


def split(weight: Weight, theirs: Learned, outputs: Sequence[int]) -> list[Learned]:
    """What each of our matrices has learned; `outputs` are their rows."""
    layout = _rows(weight)
    ups = layout.split(theirs.up, [(rows, theirs.rank) for rows in outputs])
    lengths: Sequence[Tensor | None] = [None] * len(ups)
    if theirs.magnitude is not None:
        lengths = layout.split(theirs.magnitude, [(rows,) for rows in outputs])
    parts = [replace(theirs, up=up, magnitude=long) for up, long in zip(ups, lengths, strict=True)]
    return [_own_block(part, i, len(parts)) for i, part in enumerate(parts)] if _is_diagonal(ups) else parts


def _is_diagonal(ups: Sequence[Tensor]) -> bool:
    """Whether every part uses columns of its own, as `join` makes them."""
    rank, count = ups[0].shape[1], len(ups)
    if rank % count or not any(up.any() for up in ups):
        return False
    own = [_own_columns(rank, i, count) for i in range(count)]
    return all(not torch.cat([up[:, : at.start], up[:, at.stop :]], 1).any() for up, at in zip(ups, own, strict=True))


def _own_block(part: Learned, index: int, count: int) -> Learned:
    own = _own_columns(part.rank, index, count)
    return replace(part, down=part.down[own], up=part.up[:, own])


def _own_columns(rank: int, index: int, count: int) -> slice:
    return slice(rank * index // count, rank * (index + 1) // count)


def _rows(weight: Weight) -> Layout:
    """How the outputs of our matrices lie in theirs; PEFT's lie so even where the matrix is transposed."""
    if isinstance(weight.layout, Reshaped):
        raise UserError(f"{weight.theirs} is no plain matrix to other programs; leave it out of the adapter's targets")
    return ROWS if isinstance(weight.layout, Transposed) else weight.layout
