"""How far a policy has moved from another, estimated from the texts it wrote, and how strongly it is held back.

Schulman 2020, "Approximating KL Divergence", names three estimators of KL(policy, reference) from log-probabilities of
samples of the policy: k1 is unbiased and may be negative, k2 is biased and never is, k3 is unbiased and never negative.
The coefficient may follow a target (Ziegler et al. 2019, "Fine-Tuning Language Models from Human Preferences", section
2.2). Leaves out the exact sum over the vocabulary.
"""

from dataclasses import dataclass

from torch import Tensor

STEP = 0.1  # K_beta of Ziegler et al. 2019, section 2.2
MOST = 0.2  # ... whose relative error is clipped to this


@dataclass(frozen=True, kw_only=True)
class Kl:
    """What moving away from the reference costs."""

    coefficient: float = 0.05  # reward that a nat costs
    target: float | None = None  # nats a token that the coefficient is steered towards; None: it stays as it is

    def __post_init__(self) -> None:
        if self.coefficient <= 0:
            raise ValueError(f"coefficient: {self.coefficient} holds nothing back; give more than 0, or `kl: null`")
        if self.target is not None and self.target <= 0:
            raise ValueError(f"target: {self.target} is not above 0 nats a token; 0.05 is a beginning")

    def next(self, coefficient: float, found: float) -> float:
        """The coefficient after a rollout that was `found` nats a token away.

        >>> Kl(target=0.1).next(1.0, found=0.05), Kl(target=0.1).next(1.0, found=0.2)
        (0.98, 1.02)
        """
        if self.target is None:
            return coefficient
        error = min(max(found / self.target - 1, -MOST), MOST)
        return coefficient * (1 + STEP * error)


def k1(log_ratio: Tensor) -> Tensor:
    """log(policy / reference) of what the policy wrote; its mean is the divergence."""
    return log_ratio


def k2(log_ratio: Tensor) -> Tensor:
    """Half its square."""
    return log_ratio.square() / 2


def k3(log_ratio: Tensor) -> Tensor:
    """reference / policy - 1 - log(reference / policy); GRPO's penalty (Shao et al. 2024, eq. 4)."""
    return (-log_ratio).exp() - 1 + log_ratio
