"""The shortlist keeps what the whole vocabulary would, or says that it does not know."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hornbook.generate.processors import keep_top_k, keep_top_p
from hornbook.generate.shortlist import MOST, shortlist

VOCAB = 3000


def peaked(rows: int = 4, seed: int = 0, scale: float = 4.0) -> Tensor:
    return torch.randn(rows, VOCAB, generator=torch.Generator().manual_seed(seed)) * scale


def whole(logits: Tensor, top_k: int | None, top_p: float | None) -> Tensor:
    logits = logits if top_k is None else keep_top_k(logits, top_k)
    return logits if top_p is None or top_p == 1 else keep_top_p(logits, top_p)


def spread(logits: Tensor, top_k: int | None, top_p: float | None) -> Tensor | None:
    """The shortlist as logits of the whole vocabulary."""
    few = shortlist(logits, top_k, top_p)
    return None if few is None else torch.full_like(logits, float("-inf")).scatter(-1, few.ids, few.logits)


@pytest.mark.parametrize(("top_k", "top_p"), [(1, None), (40, None), (700, None), (None, 0.9), (40, 0.9), (7, 0.2)])
def test_it_is_what_the_whole_vocabulary_would_keep(top_k: int | None, top_p: float | None) -> None:
    found = spread(peaked(), top_k, top_p)
    assert found is not None
    assert torch.equal(found, whole(peaked(), top_k, top_p))


@given(
    seed=st.integers(0, 10_000),
    scale=st.floats(0.1, 12),
    top_k=st.none() | st.integers(1, 800),
    top_p=st.none() | st.floats(0.001, 1.0),
)
def test_it_never_differs(seed: int, scale: float, top_k: int | None, top_p: float | None) -> None:
    logits = peaked(2, seed, scale)
    found = spread(logits, top_k, top_p)
    assert found is None or torch.equal(found, whole(logits, top_k, top_p))


@given(
    steps=st.lists(st.integers(-8, 8), min_size=20, max_size=60),
    top_k=st.none() | st.integers(1, 4),
    top_p=st.none() | st.floats(0.001, 1.0),
)
def test_ties_are_left_to_the_sort(steps: list[int], top_k: int | None, top_p: float | None) -> None:
    logits = torch.full((1, VOCAB), -30.0)
    logits[0, : len(steps)] = torch.tensor(steps) / 2
    found = spread(logits, top_k, top_p)
    assert found is None or torch.equal(found, whole(logits, top_k, top_p))


def test_it_says_where_it_does_not_know() -> None:
    assert shortlist(torch.zeros(1, VOCAB), None, 0.9) is None, "a flat distribution"
    assert shortlist(torch.zeros(1, VOCAB), 5, None) is None, "everything ties with the fifth"
    assert shortlist(peaked(), None, None) is None, "nothing is asked"
    assert shortlist(peaked(), None, 1.0) is None
    wide = torch.randn(1, 8 * MOST, generator=torch.Generator().manual_seed(0))
    assert shortlist(wide, MOST, None) is not None
    assert shortlist(wide, MOST + 1, None) is None
    assert shortlist(peaked()[:, :100], 40, None) is None, "a small vocabulary"
    assert shortlist(peaked().fill_(float("nan")), None, 0.9) is None
    assert shortlist(torch.full((1, VOCAB), float("-inf")), None, 0.9) is None


def test_ids_are_in_order() -> None:
    few = shortlist(peaked(), 40, 0.9)
    assert few is not None
    assert (few.ids.diff(dim=-1) > 0).all()
