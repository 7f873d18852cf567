"""Texts as rows of ids that are read whole: with the marks of their model around them, cut to its length, filled up."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from hornbook.text.tokenizer import Tokenizer


def whole(tokenizer: Tokenizer, text: str, room: int) -> list[int]:
    """A text's ids with the marks around it, cut to what there is room for; of an empty text the end id."""
    marks = len(tokenizer.wrap([])[0])
    return tokenizer.wrap(tokenizer.encode(text)[: max(room - marks, 0)])[0] or [tokenizer.end]


def padded(
    rows: list[list[int]], tokenizer: Tokenizer
) -> tuple[Int[Tensor, "rows length"], Bool[Tensor, "rows length"]]:
    """Ids, filled up on the right, and which of them are real."""
    longest, padding = max(map(len, rows)), tokenizer.roles.get("pad", tokenizer.end)
    ids = torch.tensor([row + [padding] * (longest - len(row)) for row in rows])
    real = torch.tensor([[True] * len(row) + [False] * (longest - len(row)) for row in rows])
    return ids, real
