"""Tiny models that keep the contracts of the three shapes: objectives are tested without real ones."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

VOCAB, DIM, CLASSES = 23, 8, 5


@dataclass
class Output:
    hidden: Tensor
    logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None
    balance: Tensor | None = None


class Speaker(nn.Module):
    """Reads ids (for an encoder-decoder: both sides) and has a head over the vocabulary and one over pairs."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.table, self.mix = nn.Embedding(VOCAB, DIM), nn.Linear(DIM, DIM)
            self.head, self.pair = nn.Linear(DIM, VOCAB), nn.Linear(DIM, 2)

    def forward(
        self,
        input_ids: Tensor,
        *,
        token_type_ids: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        logits: bool = True,
    ) -> Output:
        assert not logits, "an objective asks for the vectors only"
        hidden = self.mix(self.table(input_ids)).tanh()
        pair = self.pair(hidden.mean(1))
        if token_type_ids is not None:
            pair = pair + token_type_ids.float().mean(1, keepdim=True)
        if decoder_input_ids is not None:
            hidden = self.mix(self.table(decoder_input_ids)).tanh() + hidden.mean(1, keepdim=True)
        return Output(hidden, seq_relationship_logits=pair)


class Looker(nn.Module):
    """Reads images and gives a score for each class."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layer = nn.Linear(12, CLASSES)

    def forward(self, pixel_values: Tensor) -> Output:
        return Output(pixel_values, self.layer(pixel_values.flatten(1)))


def hidden_labels(ids: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Some of the ids as labels, the others ignored."""
    return torch.where(torch.rand(ids.shape, generator=generator) < share, ids, -100)
