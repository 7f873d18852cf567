"""How the next token is chosen: what is done to the logits, in which order, and the draw.

processors.py has what is done, each with its paper; the order is transformers'. past.py has what a choice may know of
the text before it. Rows that are chosen for alike are chosen for together; `choose_each` is for rows that are not.
Where only a few tokens can be drawn, the others are neither sorted nor added up (shortlist.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate import past
from hornbook.generate.past import Past
from hornbook.generate.processors import (
    NOTHING,
    add_bias,
    draw,
    force,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
    most_likely,
    penalize,
    penalize_counts,
    rule_out,
)
from hornbook.generate.shortlist import shortlist


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a token is drawn. The defaults draw from the model's own distribution."""

    temperature: float = 1.0  # 0: always the most likely token
    top_k: int | None = None  # draw from the k most likely tokens only
    top_p: float | None = None  # ... from the smallest set of tokens that holds this share of the probability
    min_p: float | None = None  # ... from tokens at least this share as likely as the most likely one
    typical_p: float | None = None  # ... from the tokens nearest to the expected surprise that hold this share
    repetition_penalty: float = 1.0  # above 1: what was read or written becomes less likely
    presence_penalty: float = 0.0  # taken off the logit of every token that was written
    frequency_penalty: float = 0.0  # ... for each time that it was written
    no_repeat_ngram: int | None = None  # no run of this many tokens comes twice, prompt included
    bias: Mapping[int, float] = field(default_factory=dict, hash=False)  # added to the logits of these tokens
    banned: tuple[int, ...] = ()  # tokens that are never written
    first: tuple[int, ...] = ()  # tokens that the text begins with
    last: int | None = None  # the token that takes the last place there is room for

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < inf:
            raise UserError(f"temperature: {self.temperature} must be 0 (greedy) or more; 0.8 is usual")
        for name in ("top_k", "no_repeat_ngram"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise UserError(f"{name}: {value} keeps no token; give 1 or more, or leave it out")
        for name in ("top_p", "min_p", "typical_p"):
            if (share := getattr(self, name)) is not None and not 0 < share <= 1:
                raise UserError(f"{name}: {share} is not a share; give a number above 0 and up to 1, or leave it out")
        if not 0 < self.repetition_penalty < inf:
            raise UserError(f"repetition_penalty: {self.repetition_penalty} must be above 0; 1 turns it off")
        for name in ("presence_penalty", "frequency_penalty"):
            if not isfinite(value := getattr(self, name)):
                raise UserError(f"{name}: {value} is no number; 0 turns it off, OpenAI's range is -2 to 2")
        self._check_tokens()

    def _check_tokens(self) -> None:
        for name in ("bias", "banned", "first"):
            if min(getattr(self, name), default=0) < 0:
                raise UserError(f"{name}: {min(getattr(self, name))} is no token; ids begin with 0")
        for token, more in self.bias.items():
            if not more < inf:  # -inf bans
                raise UserError(f"bias: {more} for token {token} is no number; give one, 100 all but forces it")
        if self.last is not None and self.last < 0:
            raise UserError(f"last: {self.last} is no token; ids begin with 0")

    @property
    def greedy(self) -> bool:
        """Whether the most likely token is always taken."""
        return self.temperature == 0 or self.top_k == 1

    @property
    def looks_back(self) -> bool:
        """Whether the choice depends on what was read and written; where not, no pasts need be given."""
        penalties = self.repetition_penalty != 1 or self.presence_penalty != 0 or self.frequency_penalty != 0
        return penalties or self.no_repeat_ngram is not None or bool(self.first) or self.last is not None

    def adjust(self, logits: Tensor, pasts: Sequence[Past] = ()) -> Tensor:
        """The logits (rows, vocab) with what is added, penalized, banned and forced: all but the drawing's limits."""
        if self.bias:
            logits = add_bias(logits, self.bias)
        if self.repetition_penalty != 1:
            logits = penalize(logits, past.seen(pasts, logits), self.repetition_penalty)
        if self.presence_penalty or self.frequency_penalty:
            written = past.counts(pasts, logits)
            logits = penalize_counts(logits, written, presence=self.presence_penalty, frequency=self.frequency_penalty)
        if self.no_repeat_ngram is not None:
            logits = logits.masked_fill(past.completing(pasts, logits, self.no_repeat_ngram), -inf)
        if self.banned:
            logits = rule_out(logits, self.banned)
        return force(logits, [self._forced(each) for each in pasts]) if self.first or self.last is not None else logits

    def filter(self, logits: Tensor, pasts: Sequence[Past] = ()) -> Tensor:
        """The logits (rows, vocab) that a token is drawn from; one past a row, where it `looks_back`."""
        logits = self.adjust(logits, pasts)
        if self.greedy:
            return logits
        if self.temperature != 1:
            logits = logits / self.temperature
        return self._limit(logits)

    def choose(self, logits: Tensor, pasts: Sequence[Past], generators: Sequence[torch.Generator]) -> Tensor:
        """One token per row: logits (rows, vocab) -> ids (rows,). Row r draws from its own generator r.

        A generator a row makes what is written for a prompt independent of what else is in the batch. NOTHING (-1)
        where every token of a row is ruled out or its scores are no numbers: the caller says so to whom it concerns.
        """
        logits = self.adjust(logits.float(), pasts)
        if self.greedy:
            return most_likely(logits)
        if self.temperature != 1:
            logits = logits / self.temperature
        points = torch.stack([torch.rand((), generator=each, dtype=torch.float64) for each in generators])
        points = points.to(logits.device)
        few = shortlist(logits, self.top_k, self.top_p)
        if few is None:
            return draw(self._limit(logits), points)
        places = draw(self._cut(few.logits), points)
        return few.ids.gather(-1, places.clamp(min=0)[:, None])[:, 0].where(places >= 0, NOTHING)

    def probabilities(self, logits: Tensor, pasts: Sequence[Past] = ()) -> Tensor:
        """The distribution (rows, vocab) that a token is drawn from; greedy, all of it on one token."""
        logits = self.adjust(logits.float(), pasts)
        if self.greedy:
            ids = most_likely(logits)[:, None]
            return torch.zeros_like(logits).scatter(-1, ids.clamp(min=0), (ids >= 0).to(logits))
        logits = logits / self.temperature
        few = shortlist(logits, self.top_k, self.top_p)
        if few is None:
            return self._limit(logits).softmax(-1)
        return torch.zeros_like(logits).scatter(-1, few.ids, self._cut(few.logits).softmax(-1))

    def _limit(self, logits: Tensor) -> Tensor:
        """What cuts the distribution off."""
        if self.top_k is not None:
            logits = keep_top_k(logits, self.top_k)
        if self.top_p is not None and self.top_p < 1:
            logits = keep_top_p(logits, self.top_p)
        return self._cut(logits)

    def _cut(self, logits: Tensor) -> Tensor:
        """What comes after top-k and top-p."""
        if self.min_p is not None:
            logits = keep_min_p(logits, self.min_p)
        return logits if self.typical_p is None or self.typical_p == 1 else keep_typical(logits, self.typical_p)

    def _forced(self, one: Past) -> int | None:
        """The token that must come next."""
        if len(one.new) < len(self.first):
            return self.first[len(one.new)]
        return self.last if one.room is not None and len(one.new) == one.room - 1 else None


def choose_each(
    logits: Tensor, samplings: Sequence[Sampling], pasts: Sequence[Past], generators: Sequence[torch.Generator]
) -> Tensor:
    """`Sampling.choose` for rows of which each has its own: those that are alike are chosen for together."""
    groups: list[tuple[Sampling, list[int]]] = []
    for row, sampling in enumerate(samplings):
        rows = next((rows for other, rows in groups if other is sampling or other == sampling), None)
        if rows is None:
            groups.append((sampling, [row]))
        else:
            rows.append(row)
    if len(groups) == 1:
        return groups[0][0].choose(logits, pasts, generators)
    ids = torch.empty(len(samplings), dtype=torch.long, device=logits.device)
    for sampling, rows in groups:
        chosen = sampling.choose(
            logits[rows], [pasts[row] for row in rows] if pasts else [], [generators[row] for row in rows]
        )
        ids[rows] = chosen
    return ids
