"""Which of two answers is better: five losses that teach it to a language model, without a reward model and sampling.

Each is a function of log-probabilities first, then a config that a recipe names. DPO, IPO and KTO compare the model
with the reference it started from, ORPO and SimPO do without. Losses are summed over pairs, KTO's over answers.

Where the numbers differ from trl's: the likelihood in ORPO is the mean over the tokens of each chosen answer, as in its
equation 3, not over all tokens of a micro-batch, prompts included; SimPO has no likelihood term (trl's `cpo_alpha` adds
one); KTO's reference point is that of a whole step, not of a micro-batch. Leaves out other divergences than KL.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.objective.answers import Answers, present, read
from hornbook.objective.batch import Batch, Loss, balanced


def dpo(chosen: Tensor, rejected: Tensor, *, beta: float, smoothing: float = 0.0) -> Tensor:
    """Rafailov et al. 2023, equation 7, of log(policy / reference) of whole answers; (pairs,) -> (pairs,).

    smoothing: the share of labels taken to be wrong (Mitchell 2023, "cDPO").
    """
    margin = beta * (chosen - rejected)
    return -(1 - smoothing) * F.logsigmoid(margin) - smoothing * F.logsigmoid(-margin)


def ipo(chosen: Tensor, rejected: Tensor, *, tau: float) -> Tensor:
    """Azar et al. 2023, equation 17, of log(policy / reference) a token; (pairs,) -> (pairs,).

    The paper is silent on length; its authors' numbers, and trl's, are of means over an answer's tokens.
    """
    return (chosen - rejected - 1 / (2 * tau)) ** 2


def kto(ratio: Tensor, wanted: Tensor, point: Tensor, *, beta: float) -> Tensor:
    """Ethayarajh et al. 2024, section 4.1 (L_KTO with both weights 1): of log(policy / reference) of single answers.

    ratio, wanted (bool), point: (answers,) -> (answers,). `point` is z_0, how far the policy is from the reference; it
    only says where the loss saturates, so no gradient goes through it.
    """
    gain = beta * (ratio - point.detach())
    return torch.sigmoid(torch.where(wanted, -gain, gain))


def orpo(chosen: Tensor, rejected: Tensor, *, weight: float) -> Tensor:
    """Hong et al. 2024, equations 6 and 7, of mean log-probabilities a token; (pairs,) -> (pairs,)."""
    log_odds = (chosen - rejected) - (_log_complement(chosen) - _log_complement(rejected))
    return -chosen - weight * F.logsigmoid(log_odds)


def simpo(chosen: Tensor, rejected: Tensor, *, beta: float, gamma: float) -> Tensor:
    """Meng et al. 2024, equation 6, of mean log-probabilities a token; (pairs,) -> (pairs,)."""
    return -F.logsigmoid(beta * (chosen - rejected) - gamma)


def _log_complement(log_p: Tensor) -> Tensor:
    """log(1 - p), accurate at both ends (Maechler 2012); p = 1 counts as the next number below it, or all is lost."""
    log_p = log_p.clamp(max=-torch.finfo(log_p.dtype).eps)
    near = log_p > -0.6931471805599453  # p above a half
    return torch.where(
        near,
        torch.log(-torch.expm1(torch.where(near, log_p, -1.0))),
        torch.log1p(-torch.exp(torch.where(near, -1.0, log_p))),
    )


class _Preference:
    """What the five have in common."""

    SHARES: ClassVar[tuple[str, ...]] = (
        "accuracy", "margin", "chosen_reward", "rejected_reward", "chosen_log_p", "rejected_log_p", "drift",
    )  # fmt: skip
    REFERENCE: ClassVar[bool] = True
    """Whether the log-probabilities of the reference are asked for."""

    def losses(self, answers: Answers) -> Tensor:
        """The loss of each unit."""
        chosen, rejected = answers.pairs(self.reward(answers))
        return self.of_pairs(chosen, rejected)

    def of_pairs(self, chosen: Tensor, rejected: Tensor) -> Tensor:
        raise NotImplementedError

    def reward(self, answers: Answers) -> Tensor:
        """What the loss weighs against each other, (rows, answers): the reward up to a factor."""
        return answers.ratio

    def count(self, batch: Batch) -> int:
        """Whole pairs of a batch."""
        there = present(batch)
        return int((there[:, ::2] & there[:, 1::2]).sum())

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss; the shares are what the model would choose, and how far it has gone from the reference."""
        answers, output = read(model, batch)
        losses = self.losses(answers)
        return Loss(balanced(losses.sum(), len(losses), output), len(losses), self.shares(answers))

    @torch.no_grad()
    def shares(self, answers: Answers) -> dict[str, tuple[float, float]]:
        """Sums and counts; `drift` is |log(policy / reference)| a token, 0 where nothing has been learned."""
        rewards, there = self.scale * self.reward(answers), answers.there
        chosen, rejected = answers.pairs(rewards)
        margins, pairs = chosen - rejected, len(chosen)
        right = (margins > 0).sum() + 0.5 * (margins == 0).sum()
        found: dict[str, tuple[float, float]] = {}
        found["accuracy"], found["margin"] = (float(right), pairs), (float(margins.sum()), pairs)
        for name, part in {"chosen": slice(0, None, 2), "rejected": slice(1, None, 2)}.items():
            here = there[:, part]
            for what, values in {"reward": rewards, "log_p": answers.log_p}.items():
                found[f"{name}_{what}"] = float(values[:, part][here].sum()), int(here.sum())
        if self.REFERENCE:
            found["drift"] = float(answers.ratio[there].abs().sum()), int(answers.tokens.sum())
        return found

    @property
    def scale(self) -> float:
        """The factor that makes it a reward."""
        return 1.0


@dataclass(frozen=True, kw_only=True)
class DPO(_Preference):
    """Direct preference optimisation."""

    beta: float = 0.1
    """How dear it is to leave the reference: the KL's weight in the objective that DPO solves."""
    label_smoothing: float = 0.0
    """The share of pairs taken to be labelled the wrong way round (conservative DPO)."""

    def __post_init__(self) -> None:
        _above("beta", self.beta)
        if not 0 <= self.label_smoothing < 0.5:
            raise ValueError(f"label_smoothing: {self.label_smoothing} is not a share below a half; try 0.1")

    def of_pairs(self, chosen: Tensor, rejected: Tensor) -> Tensor:
        return dpo(chosen, rejected, beta=self.beta, smoothing=self.label_smoothing)

    @property
    def scale(self) -> float:
        return self.beta


@dataclass(frozen=True, kw_only=True)
class IPO(_Preference):
    """Identity preference optimisation: the margin has a goal, so sure labels do not drive it to infinity."""

    tau: float = 0.1
    """The goal is 1 / (2 tau) nats a token."""

    def __post_init__(self) -> None:
        _above("tau", self.tau)

    def reward(self, answers: Answers) -> Tensor:
        return answers.ratio / answers.tokens.clamp(min=1)

    def of_pairs(self, chosen: Tensor, rejected: Tensor) -> Tensor:
        return ipo(chosen, rejected, tau=self.tau)

    @property
    def scale(self) -> float:
        return self.tau


@dataclass(frozen=True, kw_only=True)
class KTO(_Preference):
    """Kahneman-Tversky optimisation: answers that are good or bad by themselves; the halves of a pair are two."""

    SHARES: ClassVar[tuple[str, ...]] = (*_Preference.SHARES, "kl")
    beta: float = 0.1
    chosen_weight: float = 1.0
    """Of wanted answers; weight times number should be about the same for both (section 4.2)."""
    rejected_weight: float = 1.0

    def __post_init__(self) -> None:
        for name in ("beta", "chosen_weight", "rejected_weight"):
            _above(name, getattr(self, name))

    def losses(self, answers: Answers) -> Tensor:
        there = answers.there
        wanted = (torch.arange(there.shape[1], device=there.device) % 2 == 0).expand_as(there)[there]
        weight = torch.where(wanted, self.chosen_weight, self.rejected_weight)
        return weight * kto(answers.ratio[there], wanted, answers.points[there], beta=self.beta)

    def shares(self, answers: Answers) -> dict[str, tuple[float, float]]:
        """As the others; `kl` is the reference point."""
        return super().shares(answers) | {"kl": (float(answers.points[:, 0].sum()), len(answers.points))}

    def count(self, batch: Batch) -> int:
        """Answers of a batch."""
        return int(present(batch).sum())

    @property
    def scale(self) -> float:
        return self.beta


@dataclass(frozen=True, kw_only=True)
class ORPO(_Preference):
    """Odds ratio preference optimisation: instruction tuning on the chosen answers, and the odds against the others."""

    REFERENCE: ClassVar[bool] = False
    weight: float = 0.1
    """Of the odds (lambda)."""

    def __post_init__(self) -> None:
        _above("weight", self.weight)

    def reward(self, answers: Answers) -> Tensor:
        return answers.mean

    def of_pairs(self, chosen: Tensor, rejected: Tensor) -> Tensor:
        return orpo(chosen, rejected, weight=self.weight)

    @property
    def scale(self) -> float:
        return self.weight


@dataclass(frozen=True, kw_only=True)
class Simpo(_Preference):
    """Simple preference optimisation: the mean log-probability is the reward, and must win by a margin."""

    REFERENCE: ClassVar[bool] = False
    beta: float = 2.0
    gamma: float = 1.0
    """The margin, in units of the reward; the paper's are 0.2 to 0.8 of beta."""

    def __post_init__(self) -> None:
        _above("beta", self.beta)

    def reward(self, answers: Answers) -> Tensor:
        return answers.mean

    def of_pairs(self, chosen: Tensor, rejected: Tensor) -> Tensor:
        return simpo(chosen, rejected, beta=self.beta, gamma=self.gamma)

    @property
    def scale(self) -> float:
        return self.beta


Preference = DPO | IPO | KTO | ORPO | Simpo


def _above(name: str, value: float) -> None:
    if value <= 0:
        raise ValueError(f"{name}: {value} is not above 0; try 0.1")
