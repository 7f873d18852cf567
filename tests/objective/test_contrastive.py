"""The contrastive loss against cross-entropy of a matrix of cosines, whole and in parts, dropout included."""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hornbook.objective.contrastive import Contrastive, doubles, info_nce
from tests.objective.doubles import VOCAB, Output


@dataclass
class Rows:
    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor


class Reader(nn.Module):
    """Ids to vectors, with dropout."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.table, self.mix = nn.Embedding(VOCAB, 8), nn.Linear(8, 8)
        self.dropout, self.seen = nn.Dropout(dropout), []

    def forward(self, input_ids: Tensor, *, attention_mask: Tensor, logits: bool) -> Output:
        assert not logits
        self.seen.append(input_ids.shape)
        return Output(self.dropout(self.mix(self.table(input_ids)).tanh()))


def rows(count: int = 6, kinds: int = 2, length: int = 5) -> Rows:
    torch.manual_seed(2)
    ids = torch.randint(1, VOCAB, (kinds * count, length))
    real = torch.arange(length) < torch.randint(2, length + 1, (kinds * count, 1))
    return Rows(ids * real, real, torch.arange(count))


def cosines(model: Reader, batch: Rows) -> Tensor:
    hidden = model.mix(model.table(batch.input_ids)).tanh() * batch.attention_mask[..., None]
    vectors = hidden.sum(1) / batch.attention_mask.sum(1, keepdim=True)
    count = len(batch.labels)
    return F.cosine_similarity(vectors[:count, None], vectors[None, count:], dim=-1)


@pytest.mark.parametrize("kinds", [2, 3])
def test_it_is_the_cross_entropy_of_the_scaled_cosines(kinds: int) -> None:
    """As in sentence-transformers' MultipleNegativesRankingLoss: scale 20, own row on the diagonal."""
    model, batch = Reader(), rows(kinds=kinds)
    loss = Contrastive(temperature=0.05)(model, batch)
    plain = F.cross_entropy(cosines(model, batch) * 20, batch.labels)
    torch.testing.assert_close(loss.sum / loss.count, plain)
    right = (cosines(model, batch).argmax(1) == batch.labels).sum()
    assert loss.shares["accuracy"] == (int(right), 6)


def test_by_hand() -> None:
    """Two rows whose cosines are 1 and 0: -log(e^2 / (e^2 + 1)) each, at temperature 1/2."""
    scores = torch.tensor([[1.0, 0.0], [0.0, 1.0]]) / 0.5
    assert float(info_nce(scores, torch.arange(2))) == pytest.approx(2 * 0.126928, abs=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_parts_through_the_model_change_neither_loss_nor_gradients(dropout: float) -> None:
    """Gradient caching: each part is read again on the way back, under the same dropout."""
    batch, found = rows(kinds=3), []
    for texts_at_once in (100, 4):
        model = Reader(dropout)
        torch.manual_seed(7)
        loss = Contrastive(texts_at_once=texts_at_once)(model, batch)
        forward = torch.get_rng_state()
        loss.sum.backward()
        assert torch.equal(forward, torch.get_rng_state())
        found.append((loss.sum.detach(), model.table.weight.grad, model.mix.weight.grad))
        assert max(shape[0] for shape in model.seen) <= texts_at_once
    if dropout == 0:
        torch.testing.assert_close(*found)
    else:  # the draws of a part are others than those of the whole, but its gradient is that of its own loss
        assert torch.isfinite(found[1][1]).all()


def test_gradients_under_dropout_are_those_of_the_loss_that_was_computed() -> None:
    batch = rows()
    grads = []
    for cached in (True, False):
        model, objective = Reader(0.3), Contrastive(texts_at_once=4)
        torch.manual_seed(7)
        if cached:
            loss = objective(model, batch).sum
        else:
            parts = zip(batch.input_ids.split(4), batch.attention_mask.split(4), strict=True)
            vectors = F.normalize(torch.cat([objective._part(model, *part) for part in parts]), dim=-1)
            loss = info_nce(vectors[:6] @ vectors[6:].T * 20, batch.labels)
        loss.backward()
        grads.append((loss.detach(), model.table.weight.grad))
    torch.testing.assert_close(*grads)


def test_a_text_that_comes_twice_is_no_negative() -> None:
    batch = rows()
    batch.input_ids[7], batch.attention_mask[7] = batch.input_ids[6], batch.attention_mask[6]
    scores = cosines(Reader(), batch)
    scores[0, 1] = scores[1, 0] = float("-inf")
    plain = F.cross_entropy(scores, batch.labels, reduction="sum")
    torch.testing.assert_close(Contrastive(temperature=1.0)(Reader(), batch).sum, plain)


def test_dropout_alone_makes_two_views_of_a_text() -> None:
    """SimCSE: the same ids twice; without dropout they are the same vector."""
    batch = rows()
    batch.input_ids[6:], batch.attention_mask[6:] = batch.input_ids[:6], batch.attention_mask[:6]
    calm, noisy = (Contrastive()(Reader(dropout), batch) for dropout in (0.0, 0.4))
    assert calm.shares["accuracy"] == (6, 6)
    assert noisy.sum.item() > calm.sum.item()


def test_a_row_is_never_its_own_double() -> None:
    ids = torch.tensor([[1, 2], [1, 2]])
    assert doubles(ids, ids).tolist() == [[False, True], [True, False]]


def test_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match=r"temperature: 0\.0 is not above 0"):
        Contrastive(temperature=0.0)
