"""The loss that keeps a router from sending every token to the same few experts (Fedus et al. 2021, section 2.2).

    loss = experts * sum over experts of (share of tokens sent there) * (mean probability of it)

which is smallest where all experts get the same. Tokens of all layers are counted together, as transformers does; the
paper has one such loss for each layer. With more than one expert a token the shares sum to that number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Routed:
    """Where one sublayer sent its tokens."""

    weight: float  # of the loss
    probabilities: Float[Tensor, "tokens experts"]
    chosen: Int[Tensor, "tokens active"]
    real: Bool[Tensor, " tokens"] | None  # False for padding, which counts for nothing; None: all are tokens


def balance(routed: Sequence[Routed]) -> Float[Tensor, ""] | None:
    """The loss of one pass, times its weight; None where nothing was routed."""
    kinds: dict[tuple[float, int], list[Routed]] = {}
    for each in routed:
        kinds.setdefault((each.weight, each.probabilities.shape[1]), []).append(each)
    losses = [weight * unevenness(alike) for (weight, _), alike in kinds.items()]
    return torch.stack(losses).sum() if losses else None


def unevenness(routed: Sequence[Routed]) -> Float[Tensor, ""]:
    """Of sublayers with the same number of experts: that of active ones where all are used alike, else more."""
    experts = routed[0].probabilities.shape[1]
    sent = [F.one_hot(each.chosen, experts).sum(1) for each in routed]
    counts = torch.cat([_real(each, of) for each, of in zip(routed, sent, strict=True)])
    probabilities = torch.cat([_real(each, each.probabilities) for each in routed])
    tokens = max(len(counts), 1)
    return experts * (counts.sum(0) / tokens * probabilities.sum(0) / tokens).sum()


def _real(routed: Routed, rows: Tensor) -> Tensor:
    return rows if routed.real is None else rows[routed.real]
