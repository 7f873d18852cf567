"""What holds for every objective: sums over trained places, cut in any way; nothing to train on is 0."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hornbook.data.batches import Batch
from hornbook.objective.batch import Objective
from hornbook.objective.classification import Classification
from hornbook.objective.language import NextToken
from hornbook.objective.masked import MaskedTokens
from hornbook.objective.sequence_to_sequence import SequenceToSequence
from tests.objective.doubles import CLASSES, VOCAB, Looker, Speaker, hidden_labels

ROWS, LENGTH = 4, 10
Case = tuple[Objective, nn.Module, Batch]


def case(name: str) -> Case:
    """An objective, a model and rows of which every row trains another number of places, one row none."""
    draw = torch.Generator().manual_seed(1)
    ids = torch.randint(VOCAB, (ROWS, LENGTH), generator=draw)
    labels = torch.stack([hidden_labels(row, share, draw) for row, share in zip(ids, (0.2, 0, 0.9, 0.5), strict=True)])
    if name == "next token":
        return NextToken(), Speaker(), Batch(ids, labels)
    if name == "masked":
        return MaskedTokens(), Speaker(), Batch(ids, labels)
    if name == "masked pairs":
        types, follows = (ids % 2), torch.tensor([0, 1, 1, 0])
        return MaskedTokens(), Speaker(), Batch(ids, labels, token_type_ids=types, next_sentence_labels=follows)
    if name == "sequence to sequence":
        answers = torch.randint(VOCAB, (ROWS, LENGTH), generator=draw)
        return SequenceToSequence(label_smoothing=0.1), Speaker(), Batch(ids, labels, decoder_input_ids=answers)
    pixels, classes = torch.rand(ROWS, 1, 3, 4, generator=draw), torch.tensor([1, -100, 4, 0])
    return Classification(), Looker(), Batch(None, classes, pixel_values=pixels)


NAMES = ["next token", "masked", "masked pairs", "sequence to sequence", "classification"]


def rows_of(batch: Batch, rows: slice) -> Batch:
    parts: dict[str, Any] = {**batch.inputs, "labels": batch.labels, "next_sentence_labels": batch.next_sentence_labels}
    return Batch(**{"input_ids": None} | {name: None if t is None else t[rows] for name, t in parts.items()})


def gradient(model: nn.Module, loss: Tensor) -> list[Tensor]:
    found = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(model.parameters(), found, strict=True)]


@pytest.mark.parametrize("name", NAMES)
def test_rows_one_by_one_add_up_to_the_whole(name: str) -> None:
    objective, model, batch = case(name)
    whole = objective(model, batch)
    parts = [objective(model, rows_of(batch, slice(row, row + 1))) for row in range(ROWS)]
    assert whole.count == sum(part.count for part in parts) == objective.count(batch) > 0
    assert whole.sum.item() == pytest.approx(sum(part.sum.item() for part in parts), rel=1e-5)
    one_by_one = gradient(model, torch.stack([part.sum for part in parts]).sum())
    for whole_gradient, summed in zip(gradient(model, whole.sum), one_by_one, strict=True):
        torch.testing.assert_close(summed, whole_gradient, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_train_on_is_zero_and_not_nan(name: str) -> None:
    objective, model, batch = case(name)
    nothing = rows_of(batch, slice(1, 2))
    for training in (True, False):
        loss = objective(model.train(training), nothing)
        assert (loss.sum.item(), loss.count) == (0.0, 0)
        assert not any(g.any() for g in gradient(model, loss.sum))
    with torch.no_grad():
        assert objective(model, nothing).sum.item() == 0


@pytest.mark.parametrize("name", NAMES)
def test_measuring_gives_the_loss_of_training_and_shares_beside_it(name: str) -> None:
    objective, model, batch = case(name)
    trained = objective(model, batch)
    assert set(trained.shares) <= set(objective.SHARES)
    with torch.no_grad():
        measured = objective(model.eval(), batch)
    if name != "sequence to sequence":  # its label smoothing is for training only
        torch.testing.assert_close(measured.sum, trained.sum.detach())
    if name != "next token":
        hits, of = measured.shares["accuracy"]
        assert of == measured.count
        assert 0 <= hits <= of


def test_classes_are_as_many_as_the_model_has() -> None:
    _, model, batch = case("classification")
    assert model(batch.pixel_values).logits.shape == (ROWS, CLASSES)
