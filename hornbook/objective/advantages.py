"""How much better than expected: from the rewards of what was written to a number for each text, or each token.

`gae` looks at every token and needs a critic's values (Schulman et al. 2016). The others compare the texts written for
one prompt with each other and need none: GRPO (Shao et al. 2024), Dr. GRPO (Liu et al. 2025), RLOO (Ahmadian et al.
2024). A method also says what a token of its text weighs in the loss, whose sum is divided by the number of texts.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

SMALL = 1e-4  # added to a deviation, so that rewards which are all the same give 0; trl's number


def gae(
    rewards: Float[Tensor, "rows time"],
    values: Float[Tensor, "rows time"],
    *,
    discount: float = 1.0,
    trace: float = 1.0,
) -> Float[Tensor, "rows time"]:
    """Generalised advantage estimates (Schulman et al. 2016, eq. 11-12, 16); after a row's end both must be 0.

        delta_t = reward_t + discount * value_{t+1} - value_t
        advantage_t = delta_t + discount * trace * advantage_{t+1}

    >>> gae(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.25]]), discount=1.0, trace=0.5).tolist()
    [[0.125, 0.75]]
    """
    following = torch.cat([values[:, 1:], torch.zeros_like(values[:, :1])], 1)
    deltas = rewards + discount * following - values
    found, carried = torch.zeros_like(deltas), torch.zeros_like(deltas[:, 0])
    for time in reversed(range(deltas.shape[1])):
        carried = deltas[:, time] + discount * trace * carried
        found[:, time] = carried
    return found


def whiten(numbers: Float[Tensor, " tokens"]) -> Float[Tensor, " tokens"]:
    """Mean 0 and deviation 1 over all tokens of a rollout, as PPO is usually run (Huang et al. 2022, detail 7)."""
    if len(numbers) < 2:
        return numbers
    return (numbers - numbers.mean()) / (numbers.std() + 1e-8)


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """GRPO: (reward - mean) / deviation of a prompt's texts; every text weighs the same (Shao et al. 2024, eq. 3)."""

    IN_LOSS: ClassVar[bool] = True  # the divergence from the reference is a part of the loss, not of the reward

    def advantages(self, rewards: Float[Tensor, "prompts samples"]) -> Float[Tensor, "prompts samples"]:
        """Of every text."""
        centred = rewards - rewards.mean(1, keepdim=True)
        return centred / (rewards.std(1, keepdim=True) + SMALL)

    def weights(self, tokens: Int[Tensor, " texts"], most: int) -> Float[Tensor, " texts"]:  # noqa: ARG002 -- as below
        """Of each token of a text of so many tokens."""
        return 1 / tokens.clamp(min=1)


@dataclass(frozen=True, kw_only=True)
class Unbiased:
    """Dr. GRPO: reward - mean; every token weighs the same, 1 / the most there may be (Liu et al. 2025, section 3.2).

    GRPO's deviation prefers prompts that are nearly always or never answered; its length makes wrong answers long.
    """

    IN_LOSS: ClassVar[bool] = True

    def advantages(self, rewards: Float[Tensor, "prompts samples"]) -> Float[Tensor, "prompts samples"]:
        """Of every text."""
        return rewards - rewards.mean(1, keepdim=True)

    def weights(self, tokens: Int[Tensor, " texts"], most: int) -> Float[Tensor, " texts"]:
        """Of each token, where a text has `most` at the most."""
        return torch.full(tokens.shape, 1 / most)


@dataclass(frozen=True, kw_only=True)
class LeaveOneOut:
    """RLOO: reward - mean of the prompt's other texts; a text is one action (Ahmadian et al. 2024, eq. 8).

    The divergence of the whole text is taken off its reward (eq. 3), and log p of a text is the sum over its tokens.
    """

    IN_LOSS: ClassVar[bool] = False

    def advantages(self, rewards: Float[Tensor, "prompts samples"]) -> Float[Tensor, "prompts samples"]:
        """Of every text."""
        others = (rewards.sum(1, keepdim=True) - rewards) / (rewards.shape[1] - 1)
        return rewards - others

    def weights(self, tokens: Int[Tensor, " texts"], most: int) -> Float[Tensor, " texts"]:  # noqa: ARG002 -- as above
        """Of each token."""
        return torch.ones(tokens.shape)


Method = Normalised | Unbiased | LeaveOneOut
