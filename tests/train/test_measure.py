import pytest
import torch

from hornbook.objective.batch import Loss
from hornbook.train.measure import Measured, measure


class Fixed:
    """An objective whose answers are known: batch n has a loss of n over n labels, half of them right."""

    SHARES = ("accuracy", "never_asked")

    def count(self, batch):
        return batch

    def __call__(self, model, batch):
        assert not model.training
        assert not torch.is_grad_enabled()
        return Loss(torch.tensor(float(batch)), batch, {"accuracy": (batch / 2, batch)})


def test_sums_are_divided_once_and_what_was_not_asked_has_no_share():
    model = torch.nn.Linear(1, 1).train()
    found = measure(model, Fixed(), [1, 3, 4])
    assert (found.total, found.count, found.loss) == (8.0, 8, 1.0)
    assert found.shares == {"accuracy": 0.5}


def test_several_processes_add_up_and_one_may_have_seen_nothing():
    one, other = measure(torch.nn.Linear(1, 1), Fixed(), [2, 4]), measure(torch.nn.Linear(1, 1), Fixed(), [])
    assert other.loss == 0
    assert list(one.hits) == list(other.hits)  # or they would add unlike numbers
    said = []

    def add_up(*numbers):
        said.append(numbers)
        return [2 * number for number in numbers]

    together = one.over(add_up)
    assert said == [(6.0, 6, 3.0, 6, 0.0, 0.0)]
    assert together == Measured(12.0, 12, {"accuracy": (6.0, 12), "never_asked": (0.0, 0.0)})
    assert together.shares == {"accuracy": pytest.approx(0.5)}
