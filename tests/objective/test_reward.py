"""Bradley-Terry by hand; rewards are read off each answer's last token, packed or alone."""

import math

import pytest
import torch
from torch import Tensor, nn

from hornbook.objective.reward import BradleyTerry, bradley_terry, last_places, read
from tests.objective.answered import VOCAB, Case, Output, case


class Adds(nn.Module):
    """A model whose vectors are its ids' rows in a table; the head gives one number."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table, self.last = nn.Embedding(VOCAB, 4), nn.Linear(4, 1, bias=False)

    def forward(self, input_ids: Tensor, *, document_ids: Tensor, positions: Tensor, logits: bool) -> Output:
        assert not logits
        return Output(self.table(input_ids))

    def head(self, vectors: Tensor) -> Tensor:
        assert vectors.shape[1] == 1
        return self.last(vectors[:, -1])


def alone(given: Case, model: Adds) -> Tensor:
    ends = torch.tensor([answer.ids[-1] for answer in given.answers])
    return model.last(model.table(ends)).view(-1, 2)


def test_the_loss_is_that_of_the_paper() -> None:
    given, model = case(length=64), Adds()
    given.rows.shelf.margins[:] = [0.0, 0.5, 1.0, 0.0, 2.0]
    loss = BradleyTerry()(model, given.batch())
    chosen, rejected = alone(given, model).detach().T
    margins = torch.tensor([0.0, 0.5, 1.0, 0.0, 2.0])
    by_hand = -torch.log(torch.sigmoid(chosen - rejected - margins)).sum()
    torch.testing.assert_close(loss.sum.detach(), by_hand)
    assert loss.count == BradleyTerry().count(given.batch()) == 5
    assert loss.shares["accuracy"] == (float((chosen > rejected).sum()), 5)
    assert loss.shares["margin"][0] == pytest.approx(float((chosen - rejected).sum()), rel=1e-5)


def test_packing_changes_nothing() -> None:
    whole, single = case(length=64), case(length=64)
    single.rows.packs = [[pair] for pair in range(5)]
    found = []
    for given in (whole, single):
        model = Adds()
        loss = BradleyTerry()(model, given.batch())
        (loss.sum / loss.count).backward()
        found.append((loss.sum.detach(), model.table.weight.grad, model.last.weight.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)


def test_a_margin_asks_for_more() -> None:
    """By hand: with a difference of 1 and a margin of 1 the loss is that of a tie."""
    assert float(bradley_terry(torch.tensor(1.0), torch.tensor(0.0), 1.0)) == pytest.approx(math.log(2))


def test_the_last_token_of_each() -> None:
    documents = torch.tensor([[0, 0, 1, 1, 1, 4, 4], [2, 2, 2, 3, 3, 3, 3]])
    assert last_places(documents, 4).tolist() == [[1, 4, 0, 0], [0, 0, 2, 6]]


def test_where_there_is_no_answer_nothing_is_learned() -> None:
    given, model = case(), Adds()
    batch = given.batch()
    batch.labels.fill_(-100)
    loss = BradleyTerry()(model, batch)
    loss.sum.backward()
    assert (float(loss.sum.detach()), loss.count) == (0.0, 0)
    assert not model.table.weight.grad.any()
    assert not read(model, batch)[1].any()
