"""RWKV's weighted sum of all values seen, newer and louder keys counting for more, for every step at once.

    y[t] = sum of exp(k[s] - (t-1-s) * fall) v[s] over s < t, plus exp(bonus + k[t]) v[t],
           divided by the same sum without the v

per channel (Peng et al. 2023, section 3.1.2 and appendix D). Numerator and denominator are linear recurrences with one
decay, so the scan of scan.py takes all steps at once. exp(k) overflows where k is above 88, so both are kept divided by
exp(top), where top is the largest exponent so far. It falls out of y, so it may be computed without a gradient.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hornbook.model.scan import linear_scan, running_max_

LOWEST = -1e38  # an exponent that never counts; minus infinity would make nan of a difference


@dataclass
class Sums:
    """What is remembered of the past: `top` and both sums over exp(top), each (batch, ..., channels)."""

    over: Tensor  # weighted values
    under: Tensor  # weights
    top: Tensor


@dataclass
class Spoken:
    """What each token offers, (batch, time, channels), and how the channels forget, (channels)."""

    key: Tensor
    value: Tensor
    fall: Tensor  # what is taken off an exponent at every step, above 0
    bonus: Tensor  # what a token's own key gets on top


def wkv(spoken: Spoken, start: Sums, fresh: Tensor | None = None) -> tuple[Tensor, Sums]:
    """y (batch, time, channels), and the sums after every step (batch, time, channels).

    fresh: (batch, time), True where a step forgets all before it.
    """
    key, value = spoken.key, spoken.value
    tops = _tops(key.detach(), spoken.fall.detach(), start.top, fresh)
    before = torch.cat([start.top[:, None], tops[:, :-1]], 1)
    if fresh is not None:
        before = before.masked_fill(fresh[..., None], LOWEST)
    keep, add = torch.exp(before - spoken.fall - tops), torch.exp(key - tops)
    entered = torch.stack([start.over, start.under], 1)
    sums = linear_scan(keep[:, :, None], torch.stack([add * value, add], 2), entered)
    past = torch.cat([entered[:, None], sums[:, :-1]], 1)
    own = key + spoken.bonus
    top = torch.maximum(before, own).detach()
    weight, own_weight = torch.exp(before - top), torch.exp(own - top)
    over, under = (weight[:, :, None] * past + torch.stack([own_weight * value, own_weight], 2)).unbind(2)
    return over / under, Sums(sums[:, :, 0], sums[:, :, 1], tops)


@torch.no_grad()
def _tops(key: Tensor, fall: Tensor, start: Tensor, fresh: Tensor | None) -> Tensor:
    """The largest exponent so far, after every step: top[t] = max(top[t-1] - fall, key[t])."""
    falls = (-fall).expand_as(key).clone()
    if fresh is not None:
        falls.masked_fill_(fresh[..., None], LOWEST)
    tops = key.clone()
    tops[:, 0] = torch.maximum(tops[:, 0], start + falls[:, 0])
    running_max_(falls, tops)
    return tops
