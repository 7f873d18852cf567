"""Contacts: the correction by hand, symmetry and padding."""

import torch

from hornbook.core import recipe
from hornbook.model.contacts import average_product_corrected
from hornbook.model.encoder import Encoder


def model() -> torch.nn.Module:
    built = recipe.load(Encoder, "models/esm2-tiny").build().eval()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    return built


def test_what_a_row_and_a_column_share_is_taken_away() -> None:
    rank_one = torch.outer(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 1.0, 5.0]))
    torch.testing.assert_close(average_product_corrected(rank_one), torch.zeros(3, 3), rtol=0, atol=1e-6)
    one = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
    torch.testing.assert_close(average_product_corrected(one), torch.tensor([[-1.0, 1.0], [1.0, -1.0]]))


@torch.no_grad()
def test_contacts_are_symmetric_and_blind_to_padding() -> None:
    esm, ids = model(), torch.randint(4, 24, (1, 9))
    ids[0, 8] = 2
    alone = esm.predict_contacts(ids)
    torch.testing.assert_close(alone, alone.mT)
    padded = torch.cat([ids, torch.ones(1, 3, dtype=torch.long)], 1)
    mask = torch.tensor([[1] * 9 + [0] * 3])
    torch.testing.assert_close(esm.predict_contacts(padded, mask)[:, :7, :7], alone, rtol=0, atol=1e-5)
