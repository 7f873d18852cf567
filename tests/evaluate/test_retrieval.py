"""Recall at 1 of vectors whose neighbours are known."""

import torch

from hornbook.evaluate.interval import wilson
from hornbook.evaluate.retrieval import recall

VECTORS = {"a": [1.0, 0.0], "b": [0.0, 1.0], "A": [5.0, 0.1], "B": [4.0, 0.5], "C": [0.1, 2.0]}


def embed(texts: list[str]) -> torch.Tensor:
    return torch.tensor([VECTORS[text] for text in texts])


def test_an_anchor_finds_its_partner_or_does_not() -> None:
    assert recall(embed, [("a", "A"), ("b", "C")]) == {"value": 1.0, "interval": wilson(2, 2), "of": 2}
    assert recall(embed, [("a", "B"), ("b", "A")])["value"] == 0.0


def test_the_same_partner_of_another_row_is_right_too() -> None:
    assert recall(embed, [("b", "C"), ("a", "A"), ("a", "A")])["value"] == 1.0
