"""Heads for labels and numbers."""

import pytest
import torch

from hornbook.model.classifier import Regression, SequenceClassifier, TokenClassifier
from hornbook.model.pool import Pooling

PLAIN = Pooling(activation=None)


def test_a_row_is_scored_off_its_pooled_vector() -> None:
    head, hidden = SequenceClassifier(labels=3, pooling=PLAIN).build(4, 9, 4), torch.randn(2, 5, 4)
    with torch.no_grad():
        head.labels.weight.copy_(torch.arange(12.0).reshape(3, 4))
        head.labels.bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    wanted = hidden[:, 0] @ torch.arange(12.0).reshape(3, 4).T + torch.tensor([0.0, 1.0, 2.0])
    torch.testing.assert_close(head(hidden), wanted)
    torch.testing.assert_close(head.rows(hidden)["pooled"], hidden[:, 0])


def test_every_token_is_scored_by_itself() -> None:
    head, hidden = TokenClassifier(labels=3).build(4, 9, 4), torch.randn(2, 5, 4)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    torch.testing.assert_close(head(hidden)[1, 3], head(hidden[1, 3]))
    assert head(hidden).shape == (2, 5, 3)


def test_numbers_are_as_many_as_asked_for() -> None:
    assert Regression(values=4).build(8, 9, 8)(torch.zeros(2, 5, 8)).shape == (2, 4)


@pytest.mark.parametrize("kind", [SequenceClassifier, TokenClassifier])
@pytest.mark.parametrize(
    ("labels", "names", "sentence"),
    [
        (1, (), "labels: 1 leave nothing to choose"),
        (3, ("a", "b"), "names: 2 different names for 3 labels"),
        (3, ("a", "b", "a"), "names: 2 different names for 3 labels"),
    ],
)
def test_labels_that_cannot_be_told_apart(kind: type, labels: int, names: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        kind(labels=labels, names=names)


def test_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="values: 0 is no number to learn"):
        Regression(values=0)
