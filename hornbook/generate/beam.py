"""Beam search: keep the best few beginnings of a text and go on from all of them (Graves 2012; Sutskever et al. 2014).

Texts that have ended are ranked by log-probability / tokens ** length_penalty, the token that ends them counted (Wu et
al. 2016, equation 14, without its constant 5). What is a candidate and when to stop are as in transformers, so that the
texts are too. What a `Sampling` adds to the logits, takes off, bans and forces holds here; temperature, top-k and top-p
do not: nothing is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate.engine import Limits, Writing
from hornbook.generate.past import Past
from hornbook.generate.sample import Sampling
from hornbook.generate.walk import Hypothesis, Walk, room


@dataclass(frozen=True, kw_only=True)
class Beam:
    """One beam of several beginnings."""

    beams: int = 4  # beginnings that are kept at every step
    keep: int = 1  # texts that are given back, the best first
    length_penalty: float = 1.0  # above 0 the longer, below the shorter are preferred; 0: by log-probability alone
    stopping: Literal["first", "guess", "sure"] = "guess"
    """When `beams` texts have ended: stop at once (`first`); once no beginning is better than the worst of them as it
    stands (`guess`), or could be if it went on without loss (`sure`). transformers: True, False, "never"."""

    def __post_init__(self) -> None:
        if self.beams < 1:
            raise UserError(f"beams: {self.beams} keeps nothing; give 1 or more, 4 is usual")
        if not 1 <= self.keep <= self.beams:
            raise UserError(f"keep: {self.keep} of {self.beams} beams cannot be given back; give 1 to {self.beams}")

    def run(self, model: Any, writing: Writing, sampling: Sampling, limits: Limits) -> list[Hypothesis]:
        """The best texts after a prompt, or for a source, the best first."""
        group = Group(self, Past(writing.prompt, [], room(writing, limits)), limits.end)
        grow(Walk(model, writing, limits), [group], sampling, 0.0)
        return group.finished[: self.keep]


@dataclass(frozen=True)
class Beginning:
    """A text that has not ended."""

    past: Past
    log_probability: float = 0.0
    score: float = 0.0  # the same, less what diversity takes off


class Group:
    """The beginnings of one beam and the texts that have ended in it."""

    def __init__(self, config: Beam, past: Past, end: frozenset[int]) -> None:
        assert past.room is not None
        self.config, self.end, self.room = config, end, past.room
        self.open = [Beginning(past)] if past.room else []
        self.finished: list[Hypothesis] = [] if past.room else [Hypothesis([], 0.0, 0.0)]
        self.taken: list[int] = []  # at the last step, by the texts that go on or would if there were room

    def step(self, chances: Tensor, less: Tensor | None = None) -> list[int]:
        """Go on by one token: the rows (of `chances`) that the new beginnings come from.

        chances: (beginnings, vocab), log-probabilities of the next token; less: (vocab,), what diversity takes off.
        """
        before = torch.tensor([each.score for each in self.open], device=chances.device)
        scores = before[:, None] + (chances if less is None else chances - less)
        most = max(2, 1 + len(self.end)) * self.config.beams  # so many cannot all be ends
        values, places = scores.flatten().topk(min(most, scores.numel()))
        kept: list[Beginning] = []
        rows: list[int] = []
        self.taken = []
        for rank, (score, place) in enumerate(zip(values.tolist(), places.tolist(), strict=True)):
            row, token = divmod(place, chances.shape[-1])
            if not score > float("-inf") or (len(kept) == self.config.beams and rank >= self.config.beams):
                break
            log_probability = self.open[row].log_probability + float(chances[row, token])
            if token in self.end or len(self.open[row].past.new) + 1 == self.room:
                if rank < self.config.beams:
                    self._finish(self.open[row], token, log_probability, score)
                    self.taken += [] if token in self.end else [token]
            elif len(kept) < self.config.beams:
                past = self.open[row].past.fork()
                past.new.append(token)
                kept.append(Beginning(past, log_probability, score))
                rows.append(row)
                self.taken.append(token)
        if not kept and not self.finished:
            raise UserError("no token can come next: all are ruled out, or the scores are no numbers; allow more")
        self.open = kept if self._goes_on(kept) else []
        return rows if self.open else []

    def _finish(self, begun: Beginning, token: int, log_probability: float, score: float) -> None:
        """Rank a text among those that have ended; only the best `beams` of them count."""
        tokens, ended = len(begun.past.new) + 1, token in self.end
        ids = begun.past.new if ended else [*begun.past.new, token]
        score /= tokens**self.config.length_penalty
        self.finished.append(Hypothesis(list(ids), log_probability, score, token if ended else None))
        self.finished.sort(key=lambda each: -each.score)
        del self.finished[self.config.beams :]

    def _goes_on(self, kept: Sequence[Beginning]) -> bool:
        """Whether a beginning may still become better than the worst text that has ended."""
        if not kept or len(self.finished) < self.config.beams:
            return bool(kept)
        penalty, tokens = self.config.length_penalty, len(kept[0].past.new)
        if self.config.stopping == "sure" and penalty > 0:
            tokens = self.room
        return self.config.stopping != "first" and kept[0].score / tokens**penalty > self.finished[-1].score


def grow(walk: Walk, groups: Sequence[Group], sampling: Sampling, diversity: float) -> None:
    """Read on until every group has ended; each sees which tokens those before it take at the same step."""
    if not any(group.open for group in groups):
        return
    with torch.inference_mode():
        hidden = walk.read(torch.tensor([groups[0].open[0].past.prompt]))[:, -1]
        walk.take([0] * len(groups))
        while True:
            if len(hidden) < walk.rows:
                hidden = hidden.expand(walk.rows, -1)
            rows = _step(groups, _chances(walk.logits(hidden), groups, sampling), diversity)
            if not rows:
                return
            walk.take(rows)
            last = [[begun.past.new[-1]] for group in groups for begun in group.open]
            hidden = walk.read(torch.tensor(last))[:, -1]


def _chances(logits: Tensor, groups: Sequence[Group], sampling: Sampling) -> Tensor:
    """(beginnings, vocab): log-probabilities, with what a sampling adds and takes off."""
    return sampling.adjust(logits.log_softmax(-1), [begun.past for group in groups for begun in group.open])


def _step(groups: Sequence[Group], chances: Tensor, diversity: float) -> list[int]:
    """One token more in every group; the rows that all new beginnings come from."""
    taken, rows, first = torch.zeros(chances.shape[-1], device=chances.device), [], 0
    for group in groups:
        end = first + len(group.open)
        if first == end:
            continue
        rows += [first + row for row in group.step(chances[first:end], diversity * taken if diversity else None)]
        for token in group.taken:
            taken[token] += 1
        first = end
    return rows
