"""How likely answers are to an encoder-decoder: the context is its source, the continuation what its decoder writes.

The reference harness does the same for sequence-to-sequence models: both texts are encoded by themselves, and the end
mark after the answer is not judged.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hornbook.evaluate.likelihood import Likelihood
from hornbook.evaluate.pairs import Pair
from hornbook.model.encoder_decoder import EncoderDecoderModel

ROWS = 16  # pairs in one pass


@torch.inference_mode()
def likelihoods(model: EncoderDecoderModel, pairs: Sequence[Pair], *, start: int) -> list[Likelihood]:
    """The likelihood of every answer, in their order; `start` is what the decoder's text begins with."""
    order = sorted(range(len(pairs)), key=lambda number: -len(pairs[number].context))
    found: dict[int, Likelihood] = {}
    for first in range(0, len(order), ROWS):
        group = order[first : first + ROWS]
        for number, one in zip(group, _read(model, [pairs[number] for number in group], start), strict=True):
            found[number] = one
    return [found[number] for number in range(len(pairs))]


def _read(model: EncoderDecoderModel, pairs: list[Pair], start: int) -> list[Likelihood]:
    device = next(model.parameters()).device
    sources, real = _side_by_side([pair.context for pair in pairs], device)
    read, _ = _side_by_side([(start, *pair.continuation[:-1]) for pair in pairs], device)
    wanted, judged = _side_by_side([pair.continuation for pair in pairs], device)
    mask = {} if bool(real.all()) else {"attention_mask": real}
    scores = model(sources, decoder_input_ids=read, **mask).logits.float()
    nats = scores.log_softmax(-1).gather(-1, wanted[..., None])[..., 0].double().masked_fill(~judged, 0.0).sum(1)
    greedy = ((scores.argmax(-1) == wanted) | ~judged).all(1)
    return [Likelihood(*both) for both in zip(nats.tolist(), greedy.tolist(), strict=True)]


def _side_by_side(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows with padding on the right, and where they are none."""
    ids = pad_sequence([torch.tensor(row) for row in rows], batch_first=True).to(device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return ids, torch.arange(ids.shape[1], device=device) < lengths[:, None]
