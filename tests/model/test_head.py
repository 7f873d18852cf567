"""The head of language models, by hand."""

import pytest
import torch

from hornbook.model.head import Head, Language


def head(**options: object) -> Head:
    built = Language(tied=False, **options).build(4, 3)  # type: ignore[arg-type]  # any of its options
    with torch.no_grad():
        built.weight.copy_(torch.arange(12.0).reshape(3, 4))
        if built.bias is not None:
            built.bias.copy_(torch.tensor([5.0, 6.0, 7.0]))
    return built


HIDDEN = torch.tensor([[1.0, 0.0, 0.0, 2.0]])
PRODUCT = torch.tensor([[6.0, 18.0, 30.0]])


def test_scores_are_products_with_every_word() -> None:
    assert torch.equal(head()(HIDDEN), PRODUCT)
    assert torch.equal(head(bias=True)(HIDDEN), PRODUCT + torch.tensor([5.0, 6.0, 7.0]))
    assert torch.equal(head(scaled=True)(HIDDEN), PRODUCT / 2)


def test_a_cap_is_never_passed() -> None:
    found = head(soft_cap=10.0)(HIDDEN)
    torch.testing.assert_close(found, 10 * torch.tanh(PRODUCT / 10))
    assert found.max() < 10


def test_a_tied_head_must_be_as_wide_as_its_table() -> None:
    with pytest.raises(ValueError, match="tied: the table has 2 channels and the stream 4"):
        Language().build(4, 3, 2)
    assert Language(tied=False).build(4, 3, 2).weight.shape == (3, 4)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="soft_cap: 0 is not above 0"):
        Language(soft_cap=0)
    with pytest.raises(ValueError, match="guesses tokens, and this model reads images"):
        Language().build(4, 0)
