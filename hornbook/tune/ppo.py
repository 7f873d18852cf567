"""PPO as a stage, as InstructGPT has it: every token pays for leaving the start, a critic says what was to be expected.

Ouyang et al. 2022, section 3.5, on Schulman et al. 2017: the reward of a text is given at its last token, at each one
`coefficient` times log(policy / start) is taken off (Ziegler et al. 2019, eq. 2). The critic reads the policy's own
hidden states. Leaves out the mixture with pretraining gradients (PPO-ptx).
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from hornbook.core.errors import RecipeError
from hornbook.objective.advantages import gae, whiten
from hornbook.objective.kl import Kl
from hornbook.objective.policy import Proximal, Reading
from hornbook.train.rollout import Estimated
from hornbook.train.rollout_file import Written
from hornbook.tune.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Ppo(Policy):
    """Learn from rewards by the estimates of a critic."""

    CRITIC: ClassVar[bool] = True

    discount: float = 1.0  # what a reward is worth one token earlier
    trace: float = 0.95  # lambda: 1 believes what came, 0 believes the critic
    value_clip: float = 0.2  # how far one rollout may move an estimate
    value_weight: float = 0.1  # of the critic's loss

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("discount", "trace"):
            if not 0 <= getattr(self, name) <= 1:
                raise RecipeError(f"{name}: {getattr(self, name)} is not between 0 and 1")

    def objective(self, reading: Reading) -> Proximal:
        """The policy's loss and the critic's."""
        return Proximal(clip=self.clip, reading=reading, value_clip=self.value_clip, value_weight=self.value_weight)

    def estimate(self) -> "Expected":
        """Texts against what the critic expected."""
        return Expected(self.discount, self.trace, self.kl)


@dataclass(frozen=True)
class Expected:
    """Advantages over the critic's estimates."""

    discount: float
    trace: float
    kl: Kl | None

    def __call__(self, written: Written, coefficient: float) -> Estimated:
        """Of every token; what a text is paid comes with its last one."""
        known = ~written.rewards.isnan()
        lengths = written.new_tokens
        there = torch.arange(int(lengths.max())) < lengths[:, None]
        rewards, values = torch.zeros(2, *there.shape, dtype=torch.float64)
        values[there] = written.values.double()
        if coefficient:
            rewards[there] = -coefficient * (written.old - written.reference).double()
        rewards[torch.arange(len(written)), lengths - 1] += written.rewards.nan_to_num()
        found = gae(rewards, values, discount=self.discount, trace=self.trace)[there]
        trained = known.repeat_interleave(lengths)
        advantages = torch.zeros_like(found)
        advantages[trained] = whiten(found[trained])
        return Estimated(advantages, trained.float(), lengths * known, returns=found + values[there])
