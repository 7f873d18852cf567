"""GRPO and RLOO as a stage: the texts written for one prompt are compared with each other, no critic is needed.

Shao et al. 2024, "DeepSeekMath", section 4.1; `method` says what a text is worth beside the others: GRPO's, Dr. GRPO's
or RLOO's (objective/advantages.py). Leaves out process rewards and a reference that moves.
"""

from dataclasses import dataclass, field

import torch

from hornbook.core.errors import RecipeError
from hornbook.objective.advantages import Method, Normalised
from hornbook.objective.kl import Kl
from hornbook.objective.policy import Clipped, Reading
from hornbook.train.rollout import Estimated
from hornbook.train.rollout_file import Written
from hornbook.tune.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Grpo(Policy):
    """Learn from rewards by comparing the answers to one prompt."""

    method: Method = field(default_factory=Normalised)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples_per_prompt < 2:
            raise RecipeError(f"samples_per_prompt: {self.samples_per_prompt} has nothing to compare with; 8 is usual")

    def objective(self, reading: Reading) -> Clipped:
        """The policy's loss alone."""
        return Clipped(clip=self.clip, reading=reading)

    def estimate(self) -> "Compared":
        """Texts of a prompt against each other."""
        return Compared(self.method, self.samples_per_prompt, self.max_new_tokens, self.kl)


@dataclass(frozen=True)
class Compared:
    """Advantages from the other texts of a prompt."""

    method: Method
    samples: int
    most: int  # tokens of a text
    kl: Kl | None

    def __call__(self, written: Written, coefficient: float) -> Estimated:
        """Every token of a text has the advantage of the text."""
        rewards, known = written.rewards, ~written.rewards.isnan()
        if coefficient and not self.method.IN_LOSS:
            rewards = rewards - coefficient * written.per_text(written.old - written.reference)
        groups = rewards.view(-1, self.samples)
        usual = groups.nanmean(1, keepdim=True).nan_to_num()  # a text that is left out changes nothing for the others
        worth = self.method.advantages(torch.where(groups.isnan(), usual, groups)).flatten()
        weights = self.method.weights(written.new_tokens, self.most) * known
        return Estimated(
            advantages=worth.repeat_interleave(written.new_tokens),
            weights=weights.repeat_interleave(written.new_tokens),
            counts=known.long(),
            kl=coefficient if self.method.IN_LOSS else 0.0,
        )
