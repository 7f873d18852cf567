"""The losses of classifiers against torch's, with and without weights."""

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from hornbook.core import recipe
from hornbook.data.batches import Batch
from hornbook.model.classifier import LAST, SequenceClassifier, TokenClassifier
from hornbook.model.decoder import Decoder
from hornbook.model.encoder import Encoder
from hornbook.objective.classification import Classification, OneLogit, Weighted
from tests.objective.test_batch import case


def test_the_loss_and_the_accuracy_are_those_of_the_labelled_rows() -> None:
    _, model, batch = case("classification")
    logits, there = model(batch.pixel_values).logits, batch.labels != -100
    loss = Classification()(model.eval(), batch)
    assert torch.allclose(loss.sum, F.cross_entropy(logits[there], batch.labels[there], reduction="sum"))
    assert loss.shares == {"accuracy": (int((logits.argmax(-1) == batch.labels).sum()), 3)}


def labelled(labels: int) -> tuple[Any, Batch]:
    torch.manual_seed(0)
    config = replace(
        recipe.load(Decoder, "models/llama-tiny"),
        head=SequenceClassifier(labels=labels, several=labels == 1, pooling=LAST, bias=False),
    )
    return config.build(), Batch(torch.randint(0, 100, (6, 5)), torch.tensor([0, 1, -100, 1, 1, 0]))


def test_a_row_counts_as_much_as_its_class_weighs() -> None:
    """torch's weighted mean times the weights' sum; weights of 1 are no weights."""
    model, batch = labelled(3)
    logits, weights = model(batch.input_ids).logits, torch.tensor([0.5, 3.0, 1.0])
    loss = Weighted(weights=(0.5, 3.0, 1.0))(model, batch)
    mean = F.cross_entropy(logits, batch.labels, weights, ignore_index=-100)
    torch.testing.assert_close(loss.sum, mean * (2 * 0.5 + 3 * 3.0))
    assert loss.count == 5
    torch.testing.assert_close(Weighted(weights=(1.0, 1.0, 1.0))(model, batch).sum, Classification()(model, batch).sum)


def test_one_logit_is_two_of_which_the_first_is_0() -> None:
    model, batch = labelled(1)
    logits = model(batch.input_ids).logits
    loss, two = OneLogit()(model, batch), torch.cat([torch.zeros_like(logits), logits], 1)
    torch.testing.assert_close(loss.sum, F.cross_entropy(two, batch.labels, reduction="sum", ignore_index=-100))
    assert loss.shares == {"accuracy": (int((two.argmax(-1) == batch.labels).sum()), 5)}
    weighted = OneLogit(weights=(0.5, 3.0))(model, batch).sum
    wanted = F.cross_entropy(two, batch.labels, torch.tensor([0.5, 3.0]), reduction="sum", ignore_index=-100)
    torch.testing.assert_close(weighted, wanted)


@pytest.mark.parametrize("objective", [Classification(), Weighted(weights=(1.0, 2.0)), OneLogit(weights=(1.0, 2.0))])
def test_parts_come_to_the_whole_and_nothing_to_0(objective: Classification) -> None:
    model, batch = labelled(1 if isinstance(objective, OneLogit) else 2)
    parts = [objective(model, Batch(batch.input_ids[rows], batch.labels[rows])) for rows in (slice(0, 1), slice(1, 6))]
    whole = objective(model, batch)
    torch.testing.assert_close(sum(part.sum for part in parts), whole.sum)
    assert sum(part.count for part in parts) == whole.count
    nothing = objective(model, Batch(batch.input_ids, torch.full((6,), -100)))
    assert (float(nothing.sum.detach()), nothing.count) == (0.0, 0)
    nothing.sum.backward()


def test_every_token_may_have_a_class() -> None:
    torch.manual_seed(0)
    config: Any = recipe.load(Encoder, "models/bert-tiny")
    model = replace(config, head=TokenClassifier(labels=3)).build().eval()
    batch = Batch(torch.randint(5, 30, (2, 4)), torch.tensor([[-100, 0, 2, -100], [1, 1, 0, -100]]))
    logits = model(batch.input_ids).logits
    loss = Classification()(model, batch)
    torch.testing.assert_close(loss.sum, F.cross_entropy(logits.mT, batch.labels, reduction="sum"))
    assert loss.count == 5
