"""How likely texts are to a masked model: each token of the continuation hidden in turn, guessed from all the others.

Salazar et al. 2020, "Masked Language Model Scoring", equation 2. The sum is no probability of the text (the tokens know
each other), but ranks texts of one length well. Leaves out their version for words of several pieces.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.evaluate.likelihood import Likelihood
from hornbook.evaluate.pairs import Pair
from hornbook.model.encoder import EncoderModel
from hornbook.text.tokenizer import Tokenizer

ROWS = 64  # copies of a text, each with one hidden token, in one pass


@torch.inference_mode()
def likelihoods(model: EncoderModel, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> list[Likelihood]:
    """The pseudo-likelihood of every continuation, in their order."""
    mask = tokenizer.roles.get("mask")
    if mask is None:
        raise UserError("the tokenizer has no mask, so the model cannot be asked for hidden tokens; take another model")
    return [_read(model, tokenizer, pair, mask) for pair in pairs]


def _read(model: EncoderModel, tokenizer: Tokenizer, pair: Pair, mask: int) -> Likelihood:
    ids, _ = tokenizer.wrap([*pair.context, *pair.continuation])
    around, _ = tokenizer.wrap([-1])
    behind = len(around) - around.index(-1) - 1
    last = len(ids) - behind
    places = torch.arange(last - len(pair.continuation), last)
    rows = torch.tensor(ids).repeat(len(places), 1)
    rows[torch.arange(len(places)), places] = mask
    wanted = torch.tensor(pair.continuation)
    scores = torch.cat(
        [_hidden_scores(model, rows[i : i + ROWS], places[i : i + ROWS]) for i in range(0, len(rows), ROWS)]
    )
    nats = scores.log_softmax(-1).gather(-1, wanted[:, None])[:, 0].double().sum()
    return Likelihood(float(nats), bool((scores.argmax(-1) == wanted).all()))


def _hidden_scores(model: EncoderModel, rows: Tensor, places: Tensor) -> Tensor:
    """(rows, vocab): what the model says of the one hidden token of each row."""
    hidden: Tensor = model(rows, logits=False).hidden
    head: torch.nn.Module = model.head  # type: ignore[assignment]  # one that guesses tokens: checked by its caller
    scores: Tensor = head(hidden[torch.arange(len(rows)), places])
    return scores.float()
