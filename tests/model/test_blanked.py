"""Blanked masks, against the numbers of a row by hand."""

import pytest
import torch

from hornbook.model.blanked import BlankedTokens
from hornbook.model.mask import Sight
from hornbook.model.norm import LayerNorm
from hornbook.model.position import PositionBase

PLACES = torch.arange(4)[None]


@torch.no_grad()
def test_masks_are_zero_and_the_rest_makes_up_for_them() -> None:
    embedding = BlankedTokens(vocab=7, mask=6).build(3)
    torch.nn.init.ones_(embedding.table.weight)
    ids = torch.tensor([[1, 6, 2, 3], [1, 2, 3, 6]])
    real = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]).bool()
    found = embedding(ids, PositionBase(), PLACES, Sight(4, real=real))[:, :, 0]
    wanted = torch.tensor([[0.88 / 0.75, 0.0, 0.88 / 0.75, 0.88 / 0.75], [0.88, 0.88, 0.88, 0.0]])
    torch.testing.assert_close(found, wanted)


@torch.no_grad()
def test_documents_have_shares_of_their_own() -> None:
    embedding = BlankedTokens(vocab=7, mask=6).build(3)
    torch.nn.init.ones_(embedding.table.weight)
    ids, documents = torch.tensor([[1, 6, 2, 3]]), torch.tensor([[5, 5, 8, 8]])
    found = embedding(ids, PositionBase(), PLACES, Sight(4, documents=documents))[0, :, 0]
    torch.testing.assert_close(found, torch.tensor([0.88 / 0.5, 0.0, 0.88, 0.88]))


def test_a_norm_comes_last() -> None:
    embedding = BlankedTokens(vocab=7, mask=6, norm=LayerNorm()).build(3)
    torch.nn.init.normal_(embedding.table.weight)
    found = embedding(torch.tensor([[1, 2, 3, 4]]), PositionBase(), PLACES, Sight(4))
    torch.testing.assert_close(found.mean(-1), torch.zeros(1, 4), rtol=0, atol=1e-5)


def test_a_mask_that_is_no_id_is_refused() -> None:
    with pytest.raises(ValueError, match="mask: 7 is none of the 7 ids"):
        BlankedTokens(vocab=7, mask=7)
