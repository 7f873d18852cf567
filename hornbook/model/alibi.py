"""ALiBi (Press et al. 2022): a score loses `slope` per token of distance, and every head has a slope of its own.

Nothing is learned and nothing is added to the stream; texts longer than those in training only look a little farther.
With n heads, n a power of two, the slopes are 2^(-8/n), 2^(-16/n), ..., 2^-8 (section 3); for other numbers the paper's
code adds every second slope of twice as many heads. Without causal order both sides count alike.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hornbook.model.position import Place, PositionBase


@dataclass(frozen=True, kw_only=True)
class Alibi:
    """Attention that looks at the near first."""

    scaled: bool = False  # slopes divided by sqrt(head_dim), as the scores are (Falcon)

    def build(self, place: Place) -> PositionBase:
        return AlibiPosition(slopes(place.heads) / (place.head_dim**0.5 if self.scaled else 1))


class AlibiPosition(PositionBase):
    def __init__(self, slopes: Float[Tensor, " heads"]) -> None:
        super().__init__()
        self.slopes = slopes  # a plain attribute, not a buffer: bf16 would bend the slopes

    def cut(self, rank: int, ranks: int) -> None:
        self.slopes = self.slopes.chunk(ranks)[rank]

    def bias(self, queries: Int[Tensor, " time"], keys: Int[Tensor, " keys"]) -> Float[Tensor, "heads time keys"]:
        """Places in the row do: distances are the same wherever the counting begins."""
        distance = (queries[:, None] - keys[None, :]).abs()
        return -self.slopes.to(queries.device)[:, None, None] * distance


def slopes(heads: int) -> Float[Tensor, " heads"]:
    """What each head's scores lose per token of distance.

    >>> slopes(4).tolist()
    [0.25, 0.0625, 0.015625, 0.00390625]
    >>> slopes(3).tolist()  # those of two heads, and the first of four
    [0.0625, 0.00390625, 0.25]
    """
    fewer = 2 ** (heads.bit_length() - 1)  # the largest power of two that is not above
    first = 2.0 ** (-8 / fewer * torch.arange(1, fewer + 1, device="cpu", dtype=torch.float64))
    more = 2.0 ** (-4 / fewer * torch.arange(1, 2 * fewer, 2, device="cpu", dtype=torch.float64))
    return torch.cat([first, more])[:heads].float()
