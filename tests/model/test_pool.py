"""One vector a row, against a loop over the rows."""

import pytest
import torch

from hornbook.model.pool import NextSentence, Pooled, Pooling, Take, take, take_each

REAL = torch.tensor([[0, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 1, 1]]).bool()


@pytest.mark.parametrize("way", ["first", "last", "mean"])
def test_vectors_are_those_of_what_is_real(way: Take) -> None:
    hidden = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    found = take(hidden, REAL, way)
    for row in range(3):
        alone = hidden[row][REAL[row]]
        wanted = {"first": alone[0], "last": alone[-1], "mean": alone.mean(0)}[way]
        torch.testing.assert_close(found[row], wanted)
    torch.testing.assert_close(take(hidden[1:2], None, way), found[1:2])


@pytest.mark.parametrize("way", ["first", "last", "mean"])
def test_packed_rows_have_a_vector_for_each_document(way: Take) -> None:
    """Padding on either side belongs to none, also where it has the number of its neighbour."""
    hidden = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0))
    documents = torch.tensor([[5, 5, 5, 7, 7, 7], [7, 2, 2, 2, 2, 2], [0, 0, 1, 1, 0, 0]])
    real = torch.tensor([[0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]]).bool()
    spans = [(0, 1, 3), (0, 3, 5), (1, 0, 1), (1, 1, 6), (2, 0, 2), (2, 2, 4), (2, 4, 6)]
    wanted = torch.cat([take(hidden[row : row + 1, start:end], None, way) for row, start, end in spans])
    torch.testing.assert_close(take_each(hidden, real, documents, way), wanted)
    torch.testing.assert_close(take_each(hidden[1:], None, documents[1:], way), wanted[2:])


@pytest.mark.parametrize("way", ["first", "last", "mean"])
def test_a_row_of_padding_alone_is_a_number_too(way: Take) -> None:
    assert take(torch.ones(1, 3, 2), torch.zeros(1, 3).bool(), way).isfinite().all()


def test_the_matrix_and_its_activation() -> None:
    hidden = torch.randn(2, 3, 4)
    pooler = Pooling(activation="relu").build(4)
    with torch.no_grad():
        pooler.dense.weight.copy_(2 * torch.eye(4))
        pooler.dense.bias.fill_(-1)
    torch.testing.assert_close(pooler(hidden), (2 * hidden[:, 0] - 1).clamp(min=0))
    assert not list(Pooling(activation=None).build(4).parameters())
    torch.testing.assert_close(Pooling(activation=None).build(4)(hidden), hidden[:, 0])


def test_what_is_dropped_is_dropped_while_training() -> None:
    pooler = Pooling(activation=None, dropout=0.5).build(1000)
    dropped = (pooler.train()(torch.ones(1, 2, 1000)) == 0).float().mean()
    assert 0.4 < dropped < 0.6
    assert (pooler.eval()(torch.ones(1, 2, 1000)) == 1).all()


def test_pairs_have_two_scores_and_their_vector() -> None:
    head = NextSentence(dropout=0.0).build(4)
    for parameter in head.parameters():
        torch.nn.init.constant_(parameter, 0.5)
    rows = head.rows(torch.ones(3, 5, 4))
    assert rows["pooled"].shape == (3, 4)
    torch.testing.assert_close(rows["scores"], head(torch.ones(3, 5, 4)))
    assert rows["scores"].shape == (3, 2)


def test_a_pooled_head_gives_no_scores() -> None:
    head = Pooled(pooling=Pooling(activation=None)).build(4, 9, 4)
    assert set(head.rows(torch.ones(2, 3, 4))) == {"pooled"}
    torch.testing.assert_close(head(torch.ones(2, 3, 4)), torch.ones(2, 4))
