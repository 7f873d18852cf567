import torch
import torch.nn.functional as F

from hornbook.objective.classification import Classification
from tests.objective.test_batch import case


def test_the_loss_and_the_accuracy_are_those_of_the_labelled_rows() -> None:
    _, model, batch = case("classification")
    logits, there = model(batch.pixel_values).logits, batch.labels != -100
    loss = Classification()(model.eval(), batch)
    assert torch.allclose(loss.sum, F.cross_entropy(logits[there], batch.labels[there], reduction="sum"))
    assert loss.shares == {"accuracy": (int((logits.argmax(-1) == batch.labels).sum()), 3)}
