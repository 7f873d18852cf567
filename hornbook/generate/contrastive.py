"""Contrastive search: likely, and unlike what was said before (Su et al. 2022, "A Contrastive Framework for ...").

Equation 5: of the k likeliest next tokens take the one with the largest

    (1 - alpha) * p(token) - alpha * (the largest cosine of its vector with that of any token before it)

where the vectors are the model's last, those its head reads. Nothing is drawn. Every step reads the k candidates.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate.engine import Limits, Writing
from hornbook.generate.past import Past
from hornbook.generate.sample import Sampling
from hornbook.generate.walk import Hypothesis, Walk, room


@dataclass(frozen=True, kw_only=True)
class Contrastive:
    """One text, token by token the best of a few."""

    candidates: int = 4  # k; the paper's: 3 to 10
    alpha: float = 0.6  # what sameness weighs; 0 is greedy

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise UserError(f"candidates: {self.candidates} leaves nothing to choose; give 1 or more, 4 is usual")
        if not 0 <= self.alpha <= 1:
            raise UserError(f"alpha: {self.alpha} is not a share; give a number from 0 to 1, 0.6 is usual")

    def run(self, model: Any, writing: Writing, sampling: Sampling, limits: Limits) -> list[Hypothesis]:
        """The text after a prompt, alone in a list; `score` is its log-probability per token."""
        past = Past(writing.prompt, [], room(writing, limits))
        if not past.room:
            return [Hypothesis([], 0.0, 0.0)]
        with torch.inference_mode():
            return [self._walk(Walk(model, writing, limits), past, sampling, limits.end)]

    def _walk(self, walk: Walk, past: Past, sampling: Sampling, end: frozenset[int]) -> Hypothesis:
        before = walk.read(torch.tensor([past.prompt]))[0]  # (tokens, dim)
        total = 0.0
        while True:
            chances = sampling.adjust(walk.logits(before[-1:]), [past]).log_softmax(-1)[0]
            likely = chances.topk(min(self.candidates, len(chances)))
            if not likely.values[0].isfinite():
                raise UserError("no token can come next: all are ruled out, or the scores are no numbers; allow more")
            walk.take([0] * len(likely.indices))
            vectors = walk.read(likely.indices[:, None])[:, 0]
            best = int(self.scores(likely.values.exp(), vectors, before).argmax())
            walk.take([best])
            total += float(likely.values[best])
            token = int(likely.indices[best])
            tokens = len(past.new) + 1
            if token in end:
                return Hypothesis(past.new, total, total / tokens, token)
            past.new.append(token)
            if tokens == past.room:
                return Hypothesis(past.new, total, total / tokens)
            before = torch.cat([before, vectors[best : best + 1]])

    def scores(
        self, chances: Float[Tensor, " few"], vectors: Float[Tensor, "few dim"], before: Float[Tensor, "tokens dim"]
    ) -> Float[Tensor, " few"]:
        """Equation 5 of each candidate."""
        alike = F.normalize(vectors.float(), dim=-1) @ F.normalize(before.float(), dim=-1).T
        found = (1 - self.alpha) * chances - self.alpha * alike.amax(-1)
        return found.masked_fill(chances == 0, float("-inf"))  # ruled out, however new it would be
