"""NEFTune: next-token prediction from embeddings with noise on them, so that a small set is not learnt by heart.

Jain et al. 2023, algorithm 1: uniform noise from [-1, 1] times alpha / sqrt(L d) is added to the embedded tokens of a
row of L tokens and width d, while training only. In a packed row L is the length of each token's own conversation, so
packing changes nothing; in one that is filled up it is the whole row, as in the authors' code. alpha is 5 to 15.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hornbook.objective.batch import Batch, Loss
from hornbook.objective.language import NextToken


@dataclass(frozen=True, kw_only=True)
class NoisyNextToken(NextToken):
    """Every position predicts the token after it, from embeddings that are a little off."""

    alpha: float = 5.0  # the least of those the paper tries: 5, 10, 15

    def __post_init__(self) -> None:
        if self.alpha <= 0:
            raise ValueError(f"alpha: {self.alpha} is no noise; give more than 0, such as 5")

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed cross-entropy in nats; without noise in evaluation mode."""
        if not model.training:
            return super().__call__(model, batch)
        lengths = row_lengths(batch)

        def disturb(_module: nn.Module, _given: object, embedded: Tensor) -> Tensor:
            size = self.alpha / (lengths * embedded.shape[-1]).sqrt()  # (rows, time or 1)
            return embedded + torch.empty_like(embedded).uniform_(-1, 1) * size[..., None].to(embedded) / scale

        table = model.get_submodule("embed.table")
        scale = getattr(model.get_submodule("embed"), "scale", None) or 1.0  # Gemma's, which comes after the table
        hook = table.register_forward_hook(disturb)
        try:
            return super().__call__(model, batch)
        finally:
            hook.remove()


def row_lengths(batch: Batch) -> Tensor:
    """(rows, time) length of the conversation that each token belongs to; (rows, 1) where a row is one conversation."""
    ids, documents = batch.inputs["input_ids"], batch.inputs.get("document_ids")
    if documents is None:
        return torch.full((len(ids), 1), float(ids.shape[1]), device=ids.device)
    counts = torch.zeros(len(ids), int(documents.max()) + 1, device=ids.device)
    counts.scatter_add_(1, documents.long(), torch.ones(documents.shape, device=ids.device))
    return counts.gather(1, documents.long())
