"""A reward model: one number for a whole answer, learned from which of two answers people preferred.

Bradley and Terry 1952 as in Ouyang et al. 2022 (InstructGPT), equation 1: the better answer of a pair wins with
probability sigmoid(r_chosen - r_rejected). Where rows say by how much it is better, that is asked for as a margin
(Touvron et al. 2023, Llama 2, equation 2). The number is read off the last token, the stop token. Leaves out
InstructGPT's way to draw all pairs of K ranked answers into one batch element: give the pairs as rows.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.objective.answers import Rows, present
from hornbook.objective.batch import Batch, Loss, balanced


def bradley_terry(chosen: Tensor, rejected: Tensor, margin: Tensor | float = 0.0) -> Tensor:
    """-log sigmoid(r_chosen - r_rejected - margin), (pairs,) -> (pairs,).

    >>> bradley_terry(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 0.0])).tolist()
    [0.6931471824645996, 0.3132616877555847]
    """
    return -F.logsigmoid(chosen - rejected - margin)


@dataclass(frozen=True, kw_only=True)
class BradleyTerry:
    """Which of two answers is better."""

    SHARES: ClassVar[tuple[str, ...]] = ("accuracy", "margin", "reward")

    def count(self, batch: Batch) -> int:
        """Whole pairs of a batch."""
        there = present(batch)
        return int((there[:, ::2] & there[:, 1::2]).sum())

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss; `accuracy` is of pairs, `margin` how far apart they are, `reward` the mean of answers."""
        rewards, there, output = read(model, batch)
        both = there[:, ::2] & there[:, 1::2]
        chosen, rejected = rewards[:, ::2][both], rewards[:, 1::2][both]
        margins: Tensor = cast(Any, batch).margins
        losses = bradley_terry(chosen, rejected, margins[both])
        with torch.no_grad():
            apart, pairs = chosen - rejected, len(losses)
            right = (apart > 0).sum() + 0.5 * (apart == 0).sum()
            shares = {"accuracy": (float(right), pairs), "margin": (float(apart.sum()), pairs)}
            shares["reward"] = float(rewards[there].sum()), int(there.sum())
        return Loss(balanced(losses.sum(), pairs, output), pairs, shares)


def read(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor, Any]:
    """The reward of each answer and where there is one, both (rows, answers), and the model's output."""
    rows = cast(Rows, batch)
    there = present(batch)
    output: Any = model(**rows.inputs, logits=False)
    ends = last_places(rows.document_ids, there.shape[1])
    vectors = output.hidden.gather(1, ends[:, :, None].expand(-1, -1, output.hidden.shape[-1]))
    head: Any = model.head
    rewards: Tensor = head(vectors.flatten(0, 1)[:, None]).float().view(there.shape)  # each vector a row of its own
    return rewards, there, output


def last_places(documents: Tensor, answers: int) -> Tensor:
    """The place of the last token of each answer, 0 where there is none; (rows, time) -> (rows, answers).

    >>> last_places(torch.tensor([[0, 0, 3, 3, 3, 4]]), 4).tolist()
    [[1, 0, 0, 4]]
    """
    places = torch.arange(documents.shape[1], device=documents.device).expand_as(documents)
    ends = places.new_zeros(len(documents), answers + 1)  # and one for padding
    return ends.scatter_reduce(1, documents.long().clamp(max=answers), places, "amax")[:, :answers]
