"""T5's relative positions: a learned number per head for every distance, near ones exactly and far ones in buckets.

Raffel et al. 2020, section 2.1. Half of the buckets hold one distance each, the other half distances that grow by a
factor, up to `max_distance`, beyond which all is one. The numbers are added to the scores; one table serves all layers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.model.blank import Embedding
from hornbook.model.cut import Cut
from hornbook.model.position import Place, PositionBase


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """A bias of the attention scores by bucketed distance."""

    buckets: int = 32
    max_distance: int = 128  # tokens; all that is farther is one bucket
    bidirectional: bool = True  # what is ahead has half of the buckets; False: nothing is ahead

    def __post_init__(self) -> None:
        near = self.buckets // 2 // (2 if self.bidirectional else 1)
        if near < 1 or self.max_distance <= near:
            raise ValueError(
                f"buckets: {self.buckets} up to max_distance {self.max_distance} leave no room; T5 has 32 and 128"
            )

    def build(self, place: Place) -> PositionBase:
        return BucketedBias(place.heads, self)


class BucketedBias(PositionBase):
    plan: ClassVar[Mapping[str, Cut]] = {"table": "columns"}

    def __init__(self, heads: int, config: Buckets) -> None:
        super().__init__()
        self.config = config
        self.table = Embedding(config.buckets, heads)

    def bias(self, queries: Int[Tensor, " time"], keys: Int[Tensor, " keys"]) -> Float[Tensor, "heads time keys"]:
        bias: Tensor = self.table(bucket(keys[None, :] - queries[:, None], self.config))
        return bias.permute(2, 0, 1)


def bucket(ahead: Int[Tensor, "time keys"], config: Buckets) -> Int[Tensor, "time keys"]:
    """The bucket of each distance; `ahead` is positive where a key comes after the query.

    >>> bucket(torch.tensor([[-200, -9, -3, 0, 3, 9, 200]]), Buckets()).tolist()
    [[15, 8, 3, 0, 19, 24, 31]]
    """
    buckets, first = config.buckets, torch.zeros_like(ahead)
    if config.bidirectional:
        buckets //= 2
        first, distance = (ahead > 0).long() * buckets, ahead.abs()
    else:
        distance = (-ahead).clamp(min=0)
    near = buckets // 2
    growth = (distance.clamp(min=1).float() / near).log() / math.log(config.max_distance / near)
    far = (near + (growth * (buckets - near)).long()).clamp(max=buckets - 1)
    return first + torch.where(distance < near, distance, far)
