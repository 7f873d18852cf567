"""A finished model gets another head: a base that writes becomes one that classifies, or that judges.

All weights below the head stay as they are; the head's own are drawn from a seed as the model's first ones were (its
`init`). Where an encoder was pretrained with a vector for the row (BERT's pooler), the new head goes on with it.
"""

from dataclasses import replace
from typing import Any

import torch

from hornbook.core.errors import RecipeError
from hornbook.model.classifier import LAST, Regression, SequenceClassifier, TokenClassifier
from hornbook.model.decoder import DecoderModel
from hornbook.model.encoder import EncoderModel
from hornbook.model.models import AnyModel
from hornbook.model.pool import Pooler, Pooling, Take

NewHead = SequenceClassifier | Regression | TokenClassifier
REWARD = Regression(values=1, pooling=LAST, bias=False)  # of a decoder: what a text is worth, said by its last token
POOLINGS = {"distilbert": Pooling(activation="relu")}  # of encoders whose classifiers are not BERT's


def put(model: AnyModel, head: NewHead, *, seed: int = 0) -> None:
    """Put a new head on a model, in place; one seed, one head.

    Raises RecipeError for a model that cannot have it.
    """
    if not isinstance(model, DecoderModel | EncoderModel):
        raise RecipeError("head: a model of two halves has no head for labels here; start from a decoder or an encoder")
    if isinstance(model, DecoderModel) and isinstance(head, TokenClassifier):
        raise RecipeError("head: a decoder's token has not seen what follows it; label tokens with an encoder")
    device, dtype = next(model.parameters()).device, next(model.parameters()).dtype
    pooler = _pooler(model)
    before: Any = model.config  # of a decoder or an encoder; which heads go on which is checked above
    config = replace(before, head=head)
    with torch.device("cpu"):
        made: Any = head.build(config.dim, config.vocab, config.dim)
        config.init.fill(made, torch.Generator().manual_seed(seed))
    model.head, model.config = made.to(device, dtype), config
    if isinstance(model, EncoderModel):
        model.pair = None
    if pooler is not None and not isinstance(head, TokenClassifier) and _fits(made.pooler, pooler):
        made.pooler.load_state_dict(pooler.state_dict())


def pooling_of(model: AnyModel, take: Take | None = None) -> Pooling:
    """How models of this kind usually make one vector of a row: a decoder's last token, BERT's pooled first one.

    take: another token's vector, or the mean of all; no matrix was trained for those.
    """
    usual = LAST if isinstance(model, DecoderModel) else POOLINGS.get(model.family or "", Pooling())
    return usual if take in (None, usual.take) else Pooling(take=take, activation=None)


def _pooler(model: AnyModel) -> Pooler | None:
    """What makes one vector a row in this model, where it was trained with one."""
    for owner in (getattr(model, "pair", None), model.head):
        found = getattr(owner, "pooler", None)
        if isinstance(found, Pooler):
            return found
    return None


def _fits(new: Pooler, old: Pooler) -> bool:
    mine, theirs = new.state_dict(), old.state_dict()
    return bool(mine) and {n: t.shape for n, t in mine.items()} == {n: t.shape for n, t in theirs.items()}
