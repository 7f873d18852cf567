"""How often the nearest vector is the right one: recall at 1 over held-out pairs, with its interval.

Each anchor looks for its partner among the partners of all rows, by the cosine (as BEIR does, Thakur et al. 2021). With
n pairs a coin of n sides is right once. Where several rows have the same partner, each of them is right.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from hornbook.evaluate.interval import wilson


def recall(embed: Callable[[list[str]], Tensor], pairs: Sequence[Sequence[str]]) -> dict[str, Any]:
    """{"value", "interval", "of"} of pairs (anchor, partner); `embed` gives a vector for each text."""
    anchors, partners = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = nearest(embed(anchors), embed(partners))
    hits = sum(partners[place] == partner for place, partner in zip(found, partners, strict=True))
    return {"value": hits / len(pairs), "interval": wilson(hits, len(pairs)), "of": len(pairs)}


def nearest(anchors: Tensor, candidates: Tensor) -> list[int]:
    """The candidate with the largest cosine to each anchor.

    >>> import torch
    >>> nearest(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[0.1, 5.0], [3.0, 0.1]]))
    [1, 0]
    """
    places: list[int] = (F.normalize(anchors, dim=-1) @ F.normalize(candidates, dim=-1).T).argmax(-1).tolist()
    return places
