"""Distillation against torch's own divergence, whole and in chunks, asked now and asked before."""

from dataclasses import dataclass, replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.data.batches import Batch
from hornbook.objective.distill import Distillation, Distilled, DistilledFromScores, with_rest
from tests.objective.doubles import VOCAB, Speaker


@dataclass(frozen=True)
class Scored(Batch):
    teacher_ids: Tensor | None = None
    teacher_log_p: Tensor | None = None

    @property
    def inputs(self) -> dict[str, Tensor]:
        return {"input_ids": self.input_ids}


def teacher() -> Speaker:
    model = Speaker()
    torch.manual_seed(5)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.7)
    return model


def batch(rows: int = 3, length: int = 9) -> Batch:
    torch.manual_seed(1)
    labels = torch.randint(VOCAB, (rows, length))
    labels[torch.rand(rows, length) < 0.4] = -100
    return Batch(torch.randint(VOCAB, (rows, length)), labels)


def logits(model: Speaker, batch: Batch) -> Tensor:
    return model.head(model(batch.input_ids, logits=False).hidden)[batch.labels != -100]


@pytest.mark.parametrize("divergence", ["forward", "reverse"])
def test_it_is_torchs_divergence_and_cross_entropy_with_their_gradients(divergence: str) -> None:
    how, student, known = Distillation(temperature=3.0, soft=0.7, divergence=divergence), Speaker(), teacher()
    rows = batch()
    ours = Distilled(how, known, VOCAB)(student, rows)
    ours.sum.backward()
    gradients = [parameter.grad.clone() for parameter in (student.table.weight, student.head.weight)]
    student.zero_grad()
    said, wanted = logits(student, rows), logits(known, rows).detach()
    p, q = (wanted / 3).softmax(-1), (said / 3).softmax(-1)
    if divergence == "forward":  # Hinton et al. 2015: cross-entropy with soft targets, less their own entropy
        soft = F.cross_entropy(said / 3, p, reduction="sum") - F.cross_entropy(wanted / 3, p, reduction="sum")
    else:
        soft = (q * (q.log() - p.log())).sum()
    hard = F.cross_entropy(said, rows.labels[rows.labels != -100], reduction="sum")
    plain = 0.7 * 9 * soft + 0.3 * hard
    plain.backward()
    torch.testing.assert_close(ours.sum, plain, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients, [student.table.weight.grad, student.head.weight.grad], rtol=1e-4, atol=1e-5)
    assert ours.count == int((rows.labels != -100).sum())
    assert ours.shares["divergence"] == (pytest.approx(soft.item(), rel=1e-4), ours.count)
    assert ours.shares["cross_entropy"] == (pytest.approx(hard.item(), rel=1e-5), ours.count)


def test_rows_may_be_cut_anywhere() -> None:
    objective, student, rows = Distilled(Distillation(), teacher(), VOCAB), Speaker(), batch()
    parts = [Batch(rows.input_ids[i : i + 1], rows.labels[i : i + 1]) for i in range(3)]
    together = objective(student, rows)
    torch.testing.assert_close(sum(objective(student, part).sum for part in parts), together.sum, rtol=1e-5, atol=1e-5)


def test_a_student_that_is_its_teacher_has_only_the_hard_loss() -> None:
    loss = Distilled(Distillation(soft=1.0), teacher(), VOCAB)(teacher(), batch())
    assert abs(loss.sum.item()) < 1e-4


def test_the_teacher_learns_nothing() -> None:
    known = teacher()
    Distilled(Distillation(), known, VOCAB)(Speaker(), batch()).sum.backward()
    assert all(parameter.grad is None for parameter in known.parameters())


def test_padding_of_a_head_is_no_token() -> None:
    """The heads of one family are padded to different widths."""
    small, padded, rows = teacher(), teacher(), batch()
    padded.head = nn.Linear(8, VOCAB + 9)
    padded.head.weight.data[:VOCAB], padded.head.bias.data[:VOCAB] = small.head.weight.data, small.head.bias.data
    found = [Distilled(Distillation(), known, VOCAB)(Speaker(), rows).sum for known in (small, padded)]
    torch.testing.assert_close(*found)


def scored(rows: Batch, known: Speaker, k: int, temperature: float) -> Scored:
    whole = (known.head(known(rows.input_ids, logits=False).hidden) / temperature).log_softmax(-1).detach()
    best = whole.topk(k)
    return Scored(rows.input_ids, rows.labels, teacher_ids=best.indices, teacher_log_p=best.values)


def test_with_all_tokens_kept_stored_scores_are_as_good_as_the_teacher() -> None:
    how, rows, known = Distillation(temperature=2.0, soft=0.6), batch(), teacher()
    asked = Distilled(how, known, VOCAB)(Speaker(), rows).sum
    stored = DistilledFromScores(how, VOCAB)(Speaker(), scored(rows, known, VOCAB, 2.0)).sum
    torch.testing.assert_close(stored, asked, rtol=1e-3, atol=1e-3)  # the rest is kept above 1e-6


def test_fewer_tokens_say_less_but_never_too_much() -> None:
    """Classes put together cannot be further apart than they were (the data-processing inequality)."""
    how, rows, known = Distillation(soft=1.0), batch(), teacher()
    found = [DistilledFromScores(how, VOCAB)(Speaker(), scored(rows, known, k, 2.0)).sum.item() for k in (1, 4, 12)]
    whole = Distilled(how, known, VOCAB)(Speaker(), rows).sum.item()
    assert found == sorted(found)
    assert 0 < found[0] < found[-1] <= whole


def test_the_rest_is_what_is_missing_to_one() -> None:
    log_p = torch.tensor([[0.5, 0.2]]).log()
    assert float(with_rest(log_p).exp().sum()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [("temperature", 0.0, "is not above 0"), ("soft", 0.0, "leaves the teacher out"), ("soft", 1.5, "up to 1")],
)
def test_values_that_cannot_be_are_refused(field: str, value: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(Distillation(), **{field: value})
