"""From logits to the next token: pure functions of (rows, vocab) logits, in the order in which they are applied.

Repetition penalty (Keskar et al. 2019, CTRL), temperature, top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p
(Nguyen et al. 2024): the same numbers as transformers' processors. A token that is ruled out has the logit -inf.
Leaves out typical sampling, n-gram blocking and biases.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hornbook.core.errors import UserError

RULED_OUT = float("-inf")


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a token is drawn. The defaults draw from the model's own distribution."""

    temperature: float = 1.0  # 0: always the most likely token
    top_k: int | None = None  # draw from the k most likely tokens only
    top_p: float | None = None  # ... from the smallest set of tokens that holds this share of the probability
    min_p: float | None = None  # ... from tokens at least this share as likely as the most likely one
    repetition_penalty: float = 1.0  # above 1: what was already written becomes less likely

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise UserError(f"temperature: {self.temperature} must be 0 (greedy) or more; 0.8 is usual")
        if self.top_k is not None and self.top_k < 1:
            raise UserError(f"top_k: {self.top_k} keeps no token; give 1 or more, or leave it out")
        for name, share in (("top_p", self.top_p), ("min_p", self.min_p)):
            if share is not None and not 0 < share <= 1:
                raise UserError(f"{name}: {share} is not a share; give a number above 0 and up to 1, or leave it out")
        if not 0 < self.repetition_penalty < float("inf"):
            raise UserError(f"repetition_penalty: {self.repetition_penalty} must be above 0; 1 turns it off")

    @property
    def greedy(self) -> bool:
        """Whether the most likely token is always taken."""
        return self.temperature == 0 or self.top_k == 1

    def filter(self, logits: Tensor, seen: Tensor | None) -> Tensor:
        """The logits that a token is drawn from; `seen` as in `penalize`."""
        if self.repetition_penalty != 1 and seen is not None:
            logits = penalize(logits, seen, self.repetition_penalty)
        if self.greedy:
            return logits
        if self.temperature != 1:
            logits = logits / self.temperature
        if self.top_k is not None:
            logits = keep_top_k(logits, self.top_k)
        if self.top_p is not None and self.top_p < 1:
            logits = keep_top_p(logits, self.top_p)
        return logits if self.min_p is None else keep_min_p(logits, self.min_p)

    def choose(self, logits: Tensor, seen: Tensor | None, generators: list[torch.Generator]) -> Tensor:
        """One token per row: logits (rows, vocab) -> ids (rows,). Row r draws from its own generator r.

        A generator a row makes what is written for a prompt independent of what else is in the batch.
        """
        logits = self.filter(logits.float(), seen)
        if self.greedy:
            return logits.argmax(-1)
        points = [torch.rand((), generator=generator, dtype=torch.float64) for generator in generators]
        return draw(logits, torch.stack(points).to(logits.device))


def penalize(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Move the logits of tokens that were seen towards less likely: divided if positive, multiplied if negative.

    seen (rows, vocab) says which tokens each row has read or written.
    """
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Rule out all but the k largest logits; ties with the k-th stay.

    >>> keep_top_k(torch.tensor([[1.0, 4.0, 3.0, 2.0]]), 2).tolist()
    [[-inf, 4.0, 3.0, -inf]]
    """
    smallest = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < smallest, RULED_OUT)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Rule out the least likely tokens as long as what stays holds at least p; the most likely one always stays.

    >>> keep_top_p(torch.tensor([[0.5, 0.3, 0.2]]).log(), 0.6).exp().round(decimals=1).tolist()
    [[0.5, 0.30000001192092896, 0.0]]
    """
    ascending, order = logits.sort(dim=-1)
    out = ascending.softmax(-1).cumsum(-1) <= 1 - p
    out[..., -1] = False
    return logits.masked_fill(out.scatter(-1, order, out), RULED_OUT)


def keep_min_p(logits: Tensor, p: float) -> Tensor:
    """Rule out tokens less than p times as likely as the most likely one."""
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(-1, keepdim=True), RULED_OUT)


def draw(logits: Tensor, points: Tensor) -> Tensor:
    """Turn a uniform number in [0, 1) per row into a token: the one whose stretch of the probability it falls on.

    logits (rows, vocab), points (rows,) float64 -> ids (rows,). A token of probability 0 has no stretch.

    >>> draw(torch.tensor([[0.25, 0.0, 0.75]] * 3).log(), torch.tensor([0.0, 0.24, 0.26], dtype=torch.float64)).tolist()
    [0, 0, 2]
    """
    reach = logits.softmax(-1).cumsum(-1, dtype=torch.float64)
    total = reach[..., -1:]
    target = (points[..., None] * total).minimum(torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(reach, target, right=True)[..., 0]
