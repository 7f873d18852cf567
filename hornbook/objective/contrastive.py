"""Contrastive learning of vectors: a text is nearer to its partner than to the partners of all other rows.

    loss_i = -log( exp(cos(a_i, p_i) / t) / sum_j [ exp(cos(a_i, p_j) / t) + exp(cos(a_i, n_j) / t) ] )

InfoNCE (van den Oord et al. 2018, equation 4) with the other rows of the step as negatives. Unsupervised SimCSE (Gao
et al. 2021, section 3): the partner is the same text, read again under another dropout; supervised (section 4): a pair,
and where there are such a hard negative n that every row must be told from.

The batch decides what the negatives are, so it must not be cut: a step's rows come as one batch. Memory does not grow
with it: the texts go through the model some at a time, and each part is computed again on the way back, when the
gradient of its vectors is known (GradCache, Gao et al. 2021b, section 3). A candidate that is the row's own partner in
another row is no negative. Leaves out the loss in the other direction and queues of old vectors (MoCo).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hornbook.model.pool import Take, take
from hornbook.objective.batch import Loss


@dataclass(frozen=True, kw_only=True)
class Contrastive:
    """Partners are told from strangers by the angle between their vectors."""

    SHARES: ClassVar[tuple[str, ...]] = ("accuracy",)
    temperature: float = 0.05  # SimCSE, section 3; 1 / 20
    pooling: Take = "mean"
    texts_at_once: int = 64  # that go through the model together

    def __post_init__(self) -> None:
        for name in ("temperature", "texts_at_once"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: {getattr(self, name)} is not above 0; give more")

    def count(self, batch: Any) -> int:
        """Rows of a batch."""
        return len(batch.labels)

    def __call__(self, model: nn.Module, batch: Any) -> Loss:
        """The summed loss; `batch` holds the texts of all rows: anchors, then partners, then hard negatives if any."""
        rows = self.count(batch)
        vectors = F.normalize(self.vectors(model, batch.input_ids, batch.attention_mask), dim=-1)
        scores = vectors[:rows] @ vectors[rows:].T / self.temperature  # (rows, candidates)
        texts = batch.input_ids
        scores = scores.masked_fill(doubles(texts[:rows], texts[rows:]), float("-inf"))
        hits = int((scores.argmax(-1) == batch.labels).sum())
        return Loss(info_nce(scores, batch.labels), rows, {"accuracy": (hits, rows)})

    def vectors(
        self, model: nn.Module, ids: Int[Tensor, "texts length"], real: Bool[Tensor, "texts length"]
    ) -> Float[Tensor, "texts dim"]:
        """One vector a text, in fp32."""
        parts = list(zip(*(torch.split(each, self.texts_at_once) for each in (ids, real)), strict=True))
        if len(parts) == 1 or not torch.is_grad_enabled():
            return torch.cat([self._part(model, *part) for part in parts])
        again = [checkpoint(self._part, model, *part, use_reentrant=False) for part in parts]  # the same dropout
        return torch.cat(again)

    def _part(self, model: nn.Module, ids: Tensor, real: Tensor) -> Tensor:
        length = int(real.sum(1).max())  # padding is on the right
        output: Any = model(input_ids=ids[:, :length], attention_mask=real[:, :length], logits=False)
        return take(output.hidden, real[:, :length], self.pooling).float()


def info_nce(scores: Float[Tensor, "rows candidates"], own: Int[Tensor, " rows"]) -> Float[Tensor, ""]:
    """The summed cross-entropy of finding each row's own candidate."""
    return F.cross_entropy(scores, own, reduction="sum")


def doubles(anchors: Int[Tensor, "rows length"], candidates: Int[Tensor, "texts length"]) -> Bool[Tensor, "rows texts"]:
    """Candidates that are as right as a row's own, and so no negatives: row i's partner once more, or row i's anchor's.

    >>> anchors, partners = torch.tensor([[1], [2], [1]]), torch.tensor([[5], [6], [7]])
    >>> doubles(anchors, partners).int().tolist()
    [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    """
    rows = len(anchors)
    same = (candidates[:rows, None] == candidates[None]).all(-1)
    same[:, :rows] |= (anchors[:, None] == anchors[None]).all(-1)
    same[torch.arange(rows), torch.arange(rows)] = False
    return same
