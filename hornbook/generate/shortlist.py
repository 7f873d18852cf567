"""The few tokens that top-k and top-p leave, found without sorting the whole vocabulary.

A sort of 50,000 logits costs more than all else that a choice needs. The `MOST` largest are enough where they certainly
hold what is kept: as many as top-k asks for, or more than the share that top-p asks for. Where that is in doubt (a flat
distribution, or a border closer than rounding) there is no shortlist and everything is sorted: the tokens that can be
drawn are always those of `keep_top_k` and `keep_top_p`.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

MOST = 2048  # tokens on the list: top-p of 0.95 leaves more in 1 of 16 of SmolLM2-135M's distributions
DOUBT = 1e-6  # of a cumulated share: sums of 50,000 fp32 numbers differ by less, in whatever order they are taken


@dataclass(frozen=True)
class Shortlist:
    """Some tokens of each row by their ids, in ascending order, so that a draw walks them as it would the whole."""

    logits: Float[Tensor, "rows few"]  # -inf where one is on the list and cannot be drawn
    ids: Int[Tensor, "rows few"]


def shortlist(logits: Float[Tensor, "rows vocab"], top_k: int | None, top_p: float | None) -> Shortlist | None:
    """What top-k and top-p keep, or None where only a look at all tokens can say it."""
    vocab, shares = logits.shape[-1], top_p if top_p is not None and top_p < 1 else None
    most = min(MOST, vocab // 8) if top_k is None else top_k
    if (top_k is None and shares is None) or not 0 < most <= MOST or 4 * most >= vocab:
        return None
    values, ids = logits.topk(most + 1, dim=-1)
    if top_k is not None:
        if (values[:, -1] == values[:, -2]).any():  # a tie with the k-th stays
            return None
        values, ids = values[:, :-1], ids[:, :-1]
    if shares is not None:
        total = logits if top_k is None else values
        kept = _kept((values - total.logsumexp(-1, keepdim=True)).exp(), shares, complete=top_k is not None)
        if kept is None:
            return None
        values = values.masked_fill(~kept, float("-inf"))
    ids, order = ids.sort(dim=-1)
    return Shortlist(values.gather(-1, order), ids)


def _kept(shares: Float[Tensor, "rows few"], p: float, *, complete: bool) -> Tensor | None:
    """Which of the largest shares, in descending order, top-p keeps; None where they do not tell.

    complete: whether there are no others.
    """
    reach = shares.cumsum(-1)
    before = reach - shares
    before[:, 0] = 0.0  # the most likely one always stays
    kept = before < p
    alike = (shares[:, 1:] == shares[:, :-1]) & (kept[:, 1:] != kept[:, :-1])  # which of them stays, the sort decides
    doubt = ((before[:, 1:] - p).abs() < DOUBT).any() | alike.any()
    if not complete:
        doubt = doubt | (reach[:, -1] < p + DOUBT).any()
    return None if bool(doubt) or not bool(torch.isfinite(reach).all()) else kept
