"""Diverse beam search: several beams, each of which avoids what those before it say (Vijayakumar et al. 2018).

Section 4, with the Hamming distance (4.2): at every step the groups choose one after the other, and a token loses
`diversity` for each beginning of an earlier group that takes it at that step. What was lost stays in the score that a
beginning is chosen by, as in transformers; `log_probability` is without it.
"""

from dataclasses import dataclass, field
from typing import Any

from hornbook.core.errors import UserError
from hornbook.generate.beam import Beam, Group, grow
from hornbook.generate.engine import Limits, Writing
from hornbook.generate.past import Past
from hornbook.generate.sample import Sampling
from hornbook.generate.walk import Hypothesis, Walk, room


@dataclass(frozen=True, kw_only=True)
class DiverseBeam:
    """Several beams that look at one another."""

    groups: int = 4
    each: Beam = field(default_factory=lambda: Beam(beams=1))  # what every group is
    diversity: float = 0.5  # the paper's: 0.2 to 0.8 work (section 5.1)

    def __post_init__(self) -> None:
        if self.groups < 1:
            raise UserError(f"groups: {self.groups} keeps nothing; give 1 or more")
        if not 0 <= self.diversity < float("inf"):
            raise UserError(f"diversity: {self.diversity} must be 0 or more; 0.5 is usual")

    def run(self, model: Any, writing: Writing, sampling: Sampling, limits: Limits) -> list[Hypothesis]:
        """The best texts of every group, group by group."""
        groups = [
            Group(self.each, Past(writing.prompt, [], room(writing, limits)), limits.end) for _ in range(self.groups)
        ]
        grow(Walk(model, writing, limits), groups, sampling, self.diversity)
        return [text for group in groups for text in group.finished[: self.each.keep]]
