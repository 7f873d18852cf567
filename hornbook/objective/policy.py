"""Learning from rewards: make likelier what turned out better than expected, by small steps.

The clipped surrogate of PPO (Schulman et al. 2017, eq. 7) serves GRPO (Shao et al. 2024, eq. 3) and RLOO as well; they
differ in where advantages come from (advantages.py). `Proximal` adds a critic that learns the returns, its loss clipped
too (eq. 9 and Huang et al. 2022, detail 9). Leaves out sequence-level ratios and entropy bonuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.objective.batch import IGNORED, Batch, Loss, balanced
from hornbook.objective.kl import k3
from hornbook.objective.log_probabilities import log_probabilities


@dataclass(frozen=True)
class Samples:
    """Texts that a policy wrote, padded on the right. What is per token is of the trained ones, row after row."""

    input_ids: Int[Tensor, "rows length"]
    labels: Int[Tensor, "rows length"]
    """The token that follows where the policy wrote it, IGNORED in prompts and padding."""
    old: Float[Tensor, " tokens"]
    """Log-probabilities under the policy that wrote the texts."""
    advantages: Float[Tensor, " tokens"]
    weights: Float[Tensor, " tokens"]
    reference: Float[Tensor, " tokens"] | None = None
    """Log-probabilities under the model that training began with."""
    values: Float[Tensor, " tokens"] | None = None
    """What the critic expected as the texts were written."""
    returns: Float[Tensor, " tokens"] | None = None
    count: int = 0
    """What the sum over the rows is a mean of: texts, or tokens."""
    kl: float = 0.0
    """Coefficient of the divergence from the reference, in the loss."""
    seen: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """What was measured as they were written, to be recorded with the step; as in `Loss.shares`."""
    next_sentence_labels: None = None

    @property
    def inputs(self) -> dict[str, Tensor]:
        """Under a causal model padding on the right needs no mask: nothing looks at it."""
        return {"input_ids": self.input_ids}

    def to(self, device: torch.device | str) -> "Samples":
        """The rows on a device."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        moved: dict[str, Any] = {name: part.to(device) for name, part in parts.items() if isinstance(part, Tensor)}
        return replace(self, **moved)

    def cut(self, length: int) -> "Samples":
        """Refused: an answer is read whole."""
        raise ValueError(f"lengths: rows of {length} tokens; texts that a policy wrote cannot be cut, leave it out")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """How far one rollout may move the probability of a token: its ratio counts up to 1 - low and 1 + high."""

    low: float = 0.2
    high: float = 0.2  # more than `low` keeps rare tokens alive (Yu et al. 2025, DAPO, section 3.1)

    def __post_init__(self) -> None:
        if not 0 < self.low < 1 or self.high <= 0:
            raise ValueError(f"clip: {self.low} and {self.high} bound no ratio; 0.2 for both is usual")


@dataclass(frozen=True)
class Reading:
    """How logits become the probabilities with which a policy writes: the same as in the engine."""

    temperature: float = 1.0
    vocab: int | None = None  # ids from here on are never written

    def of(self, head: nn.Module) -> nn.Module:
        """The head of the policy."""
        return _Head(head, self)


class _Head(nn.Module):
    def __init__(self, head: nn.Module, reading: Reading) -> None:
        super().__init__()
        self.head, self.reading = head, reading

    def forward(self, hidden: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens vocab"]:
        logits: Tensor = self.head(hidden)[..., : self.reading.vocab].float()
        return logits if self.reading.temperature == 1 else logits / self.reading.temperature


def clipped_surrogate(log_ratio: Tensor, advantages: Tensor, clip: Clip) -> tuple[Tensor, Tensor]:
    """PPO's loss of each token, -min(ratio A, clipped ratio A) (eq. 7), and where the clipped side was taken.

    >>> clipped_surrogate(torch.tensor([1.5]).log(), torch.tensor([2.0]), Clip())[0].item()  # 1.2 * 2, not 1.5 * 2
    -2.4000000953674316
    """
    ratio = log_ratio.exp()
    free, held = ratio * advantages, ratio.clamp(1 - clip.low, 1 + clip.high) * advantages
    return -torch.minimum(free, held), held < free


def clipped_value_loss(values: Tensor, old: Tensor, returns: Tensor, clip: float) -> Tensor:
    """Half the squared error of each value, or of the value that moved by at most `clip`, whichever is worse."""
    near = old + (values - old).clamp(-clip, clip)
    return torch.maximum((values - returns).square(), (near - returns).square()) / 2


SEEN = (
    "reward", "reward_std", "kl", "kl_coefficient", "entropy", "completion_tokens", "unfinished", "skipped",
    "generation_seconds", "reference_seconds", "check_seconds", "reward_seconds",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Clipped:
    """The policy's loss alone: GRPO, Dr. GRPO and RLOO."""

    SHARES: ClassVar[tuple[str, ...]] = (*SEEN, "clip_fraction")
    clip: Clip
    reading: Reading

    def count(self, batch: Batch) -> int:
        """Texts, or trained tokens: what the loss is a mean of."""
        assert isinstance(batch, Samples)
        return batch.count

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss."""
        assert isinstance(batch, Samples)
        output: Any = model(**batch.inputs, logits=False)
        total, shares = self.policy(model, batch, output.hidden)
        return Loss(balanced(total, batch.count, output), batch.count, shares)

    def policy(self, model: nn.Module, batch: Samples, hidden: Tensor) -> tuple[Tensor, dict[str, tuple[float, float]]]:
        """The weighted sum over the tokens, and how many of them were held back."""
        trained = batch.labels != IGNORED
        head: Any = model.head
        now = log_probabilities(hidden, batch.labels, self.reading.of(head))[trained]
        losses, held = clipped_surrogate(now - batch.old, batch.advantages, self.clip)
        if batch.kl and batch.reference is not None:
            losses = losses + batch.kl * k3(now - batch.reference)
        shares = {**batch.seen, "clip_fraction": (float(held.sum()), float(len(held)))}
        return (losses * batch.weights).sum(), shares


@dataclass(frozen=True, kw_only=True)
class Proximal(Clipped):
    """PPO: the policy's loss and, `value_weight` times, that of the critic, which reads the same hidden states."""

    SHARES: ClassVar[tuple[str, ...]] = (*Clipped.SHARES, "value_loss")
    value_clip: float = 0.2
    value_weight: float = 0.1

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss."""
        assert isinstance(batch, Samples)
        assert batch.values is not None, "a rollout with a critic keeps what it expected"
        assert batch.returns is not None, "... and what came"
        output: Any = model(**batch.inputs, logits=False)
        critic: Any = model.critic
        total, shares = self.policy(model, batch, output.hidden)
        values = critic(output.hidden[batch.labels != IGNORED])
        errors = clipped_value_loss(values, batch.values, batch.returns, self.value_clip) * batch.weights
        shares["value_loss"] = float(errors.detach().sum()), float(batch.count)
        return Loss(balanced(total + self.value_weight * errors.sum(), batch.count, output), batch.count, shares)
