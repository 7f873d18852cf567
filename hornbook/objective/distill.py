"""Distillation: a student learns what its teacher thinks of every possible next token, not only which one came.

    loss = (1 - soft) * cross-entropy(label) + soft * T^2 * KL(teacher_T || student_T)

Hinton, Vinyals and Dean 2015, section 2: both are softened by the temperature T, and T^2 keeps the soft gradients'
size. `reverse` is KL(student || teacher), which lets a small student leave out what it cannot say (Gu et al. 2024,
MiniLLM, section 2.1, here on given text instead of the student's own). The teacher may have been asked beforehand:
then its likeliest tokens are known, and all others count as one (data/teacher_scores.py). Leaves out matching of hidden
states (DistilBERT's cosine term) and text written by the student.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.objective.batch import IGNORED, Batch, Loss, balanced, trained
from hornbook.objective.chunked import chunked_sum


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """How much of the loss is the teacher's, and how it is measured."""

    temperature: float = 2.0  # above 1 the unlikely tokens count more
    soft: float = 0.5  # share of the teacher in the loss; the rest is the plain next token
    divergence: Literal["forward", "reverse"] = "forward"  # forward: cover all the teacher says; reverse: its peaks

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ValueError(f"temperature: {self.temperature} is not above 0; 1 leaves the teacher as it is, try 2")
        if not 0 < self.soft <= 1:
            raise ValueError(f"soft: {self.soft} leaves the teacher out; give a share above 0, up to 1")

    def apart(self, teacher: Tensor, student: Tensor) -> Tensor:
        """T^2 times the summed divergence of (places, classes) log-probabilities."""
        wanted, said = (teacher, student) if self.divergence == "forward" else (student, teacher)
        return self.temperature**2 * F.kl_div(said, wanted, log_target=True, reduction="sum")

    def log_p(self, logits: Tensor) -> Tensor:
        """Log-probabilities at the temperature, in fp32."""
        return (logits.float() / self.temperature).log_softmax(-1)


def with_rest(log_p: Tensor) -> Tensor:
    """(places, k) log-probabilities of some tokens -> (places, k + 1): and of all others together.

    >>> [round(p, 2) for p in with_rest(torch.tensor([[0.5, 0.2]]).log()).exp()[0].tolist()]
    [0.5, 0.2, 0.3]
    """
    rest = (-log_p.exp().sum(-1, keepdim=True).clamp(max=1 - 1e-6)).log1p()
    return torch.cat([log_p, rest], -1)


@dataclass(frozen=True)
class Distilled:
    """The next token, and what a teacher that is asked now thinks of it."""

    SHARES: ClassVar[tuple[str, ...]] = ("divergence", "cross_entropy")
    how: Distillation
    teacher: nn.Module = field(repr=False)
    vocab: int  # ids there are: what a head has beyond them is padding

    def count(self, batch: Batch) -> int:
        """Trained tokens of a batch."""
        return trained(batch.labels)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss in nats; beside it the divergence at the temperature and the plain cross-entropy."""
        output, teacher = _read(model, batch), self.teacher.to(batch.labels.device).eval()
        head, asked = getattr(model, "head"), getattr(teacher, "head")  # noqa: B009 -- nn.Module has no such field
        with torch.no_grad():
            known = _read(teacher, batch).hidden
        place, seen = batch.labels != IGNORED, _Seen()

        def loss(hidden: Tensor, known: Tensor, labels: Tensor) -> Tensor:
            with torch.no_grad():
                wanted = self.how.log_p(asked(known)[..., : self.vocab])
            logits = head(hidden)[..., : self.vocab]
            return seen.add(self.how, self.how.apart(wanted, self.how.log_p(logits)), logits, labels)

        total = chunked_sum(loss, head, output.hidden[place], known[place], batch.labels[place])
        return seen.loss(total, self.count(batch), output)


@dataclass(frozen=True)
class DistilledFromScores:
    """The same from what the teacher was asked before: its likeliest tokens and their log-probabilities."""

    SHARES: ClassVar[tuple[str, ...]] = ("divergence", "cross_entropy")
    how: Distillation
    vocab: int

    def count(self, batch: Batch) -> int:
        """Trained tokens of a batch."""
        return trained(batch.labels)

    def __call__(self, model: nn.Module, batch: Any) -> Loss:
        """`batch` has `teacher_ids` and `teacher_log_p`, both (rows, length, k)."""
        output, place, seen = _read(model, batch), batch.labels != IGNORED, _Seen()
        head = getattr(model, "head")  # noqa: B009 -- nn.Module has no such field

        def loss(hidden: Tensor, ids: Tensor, wanted: Tensor, labels: Tensor) -> Tensor:
            logits = head(hidden)[..., : self.vocab]
            said = self.how.log_p(logits).gather(-1, ids)
            return seen.add(self.how, self.how.apart(with_rest(wanted), with_rest(said)), logits, labels)

        known = batch.teacher_ids[place].long(), batch.teacher_log_p[place].float()
        total = chunked_sum(loss, head, output.hidden[place], *known, batch.labels[place])
        return seen.loss(total, self.count(batch), output)


class _Seen:
    """Adds up what is measured beside the loss."""

    def __init__(self) -> None:
        self.divergence = self.cross_entropy = 0.0

    def add(self, how: Distillation, soft: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of a chunk."""
        hard = F.cross_entropy(logits.float(), labels, reduction="sum")
        self.divergence += float(soft.detach()) / how.temperature**2
        self.cross_entropy += float(hard.detach())
        return how.soft * soft + (1 - how.soft) * hard

    def loss(self, total: Tensor, count: int, output: Any) -> Loss:
        """The sum with what was seen on the way."""
        shares = {"divergence": (self.divergence, float(count)), "cross_entropy": (self.cross_entropy, float(count))}
        return Loss(balanced(total, count, output), count, shares)


def _read(model: nn.Module, batch: Batch) -> Any:
    """The vectors of a pass."""
    return model(**batch.inputs, logits=False)
