"""What stands behind a mask: the likeliest tokens of a masked language model, with their probabilities."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.model.encoder import EncoderModel
from hornbook.model.head import Head
from hornbook.model.masked_head import MaskedHead
from hornbook.model.models import AnyModel
from hornbook.text.tokenizer import Tokenizer

SPELLINGS = ("[MASK]", "<mask>")  # either is taken for the tokenizer's own


@dataclass(frozen=True)
class Guess:
    """One token for one mask."""

    token: str
    probability: float


@torch.no_grad()
def fill(module: AnyModel, tokenizer: Tokenizer, text: str, *, top: int = 5) -> list[list[Guess]]:
    """For each mask in the text, left to right, its `top` tokens, likeliest first."""
    if not isinstance(module, EncoderModel) or not isinstance(module.head, Head | MaskedHead):
        raise UserError("fill: the model has no head for hidden words; take one that was trained to guess them")
    mask = tokenizer.roles.get("mask")
    if mask is None:
        raise UserError("fill: the tokenizer has no mask; take the model's own")
    ids = torch.tensor([_ids(tokenizer, text, mask)])
    if ids.shape[1] > module.config.length:
        raise UserError(f"fill: the text is {ids.shape[1]} tokens long and the model reads {module.config.length}")
    places = (ids[0] == mask).nonzero()[:, 0]
    if not len(places):
        raise UserError(f"fill: nothing to guess; write {SPELLINGS[0]} where a word is missing")
    hidden: Tensor = module(ids, logits=False).hidden[0, places]
    scores = module.head(hidden)[:, : tokenizer.vocab].float().softmax(-1)
    best = scores.topk(min(top, scores.shape[-1]))
    return [
        [Guess(tokenizer.decode([i]).strip(), p) for p, i in zip(row, guesses, strict=True)]
        for row, guesses in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


def _ids(tokenizer: Tokenizer, text: str, mask: int) -> list[int]:
    """The ids of a text with its masks, between the tokenizer's marks."""
    own = next(spelling for spelling, i in tokenizer.special.items() if i == mask)
    for spelling in SPELLINGS:
        text = text.replace(spelling, own)
    return tokenizer.wrap(tokenizer.encode(text, special=True))[0]
