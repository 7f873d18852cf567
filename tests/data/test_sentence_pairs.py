"""Pairs of texts: half of them follow each other, and everything about a row can be checked against the documents."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Batch
from hornbook.data.sentence_pairs import SentencePairRows, SentencePairs
from hornbook.data.shards import Shards
from tests.data.conftest import MarkedTokenizer

Make = Callable[..., Shards]
BERT = MarkedTokenizer(("[PAD]", "[CLS]", "[SEP]", "[MASK]"))
CLS, SEP, PAD = (BERT.special[mark] for mark in ("[CLS]", "[SEP]", "[PAD]"))
# every document has an alphabet of its own, and counts upwards in it
DOCUMENTS = {f"d{d}": "".join(chr(33 + 18 * d + i % 18) for i in range(5 + 13 * d)) for d in range(5)}


def source(make: Make, length: int = 24, seed: int = 0) -> SentencePairRows:
    return SentencePairs(length=length).build(make(DOCUMENTS).train, BERT, seed=seed)


def texts(batch: Batch, row: int) -> tuple[list[int], list[int]]:
    """The two texts of a row, mended."""
    ids = torch.where(batch.labels == IGNORE, batch.input_ids, batch.labels)[row].tolist()
    first, second = (place for place, id_ in enumerate(ids) if id_ == SEP)
    assert ids[0] == CLS
    assert set(ids[second + 1 :]) <= {PAD}
    types, real = batch.token_type_ids[row].tolist(), batch.attention_mask[row].tolist()
    assert types == [0] * (first + 1) + [1] * (second - first) + [0] * (len(ids) - second - 1)
    assert real == [True] * (second + 1) + [False] * (len(ids) - second - 1)
    return ids[1:first], ids[first + 1 : second]


def test_a_second_text_follows_or_is_from_another_document(make_shards: Make) -> None:
    rows = source(make_shards)
    batch, names = rows.batch(0, 400), rows.documents(0, 400)
    for row in range(400):
        first, second = texts(batch, row)
        assert first
        assert second
        one, other = ((text[0] - 33) // 18 for text in (first, second))
        assert names[row] == [f"d{one}"]
        if batch.next_sentence_labels[row] == 0:
            together = np.array(first + second) - 33 - 18 * one
            assert (np.diff(together) % 18 == 1).all()  # goes on where the first stopped
        else:
            assert one != other


def test_half_of_the_pairs_follow_and_fifteen_in_a_hundred_tokens_are_hidden(make_random_shards: Make) -> None:
    rows = SentencePairs(length=128).build(make_random_shards(9000, 124).train, BERT, seed=1)
    batch = rows.batch(0, 9000)
    places = batch.attention_mask.sum() - 3 * 9000
    assert places > 1e6
    assert (batch.labels != IGNORE).sum().item() / places.item() == pytest.approx(0.15, rel=0.01)
    assert rows.tokens_per_row == pytest.approx((batch.labels != IGNORE).sum().item() / 9000, rel=0.01)
    # 3 standard deviations of 9000 coins are 1.6 %
    assert batch.next_sentence_labels.float().mean().item() == pytest.approx(0.5, abs=0.016)


def test_no_mark_is_ever_hidden(make_shards: Make) -> None:
    batch = source(make_shards).batch(0, 200)
    assert not torch.isin(batch.labels, torch.tensor([CLS, SEP, PAD, BERT.end])).any()


def test_rows_do_not_depend_on_how_they_are_asked_for(make_shards: Make) -> None:
    whole = source(make_shards).batch(50, 10)
    for row in range(10):
        part = source(make_shards).batch(50 + row, 1)
        for name, tensor in part.inputs.items():
            assert torch.equal(tensor[0], whole.inputs[name][row]), name
        assert torch.equal(part.labels[0], whole.labels[row])


def test_an_epoch_later_the_same_text_is_another_pair(make_shards: Make) -> None:
    rows = source(make_shards, seed=None)
    first, second = (rows.batch(epoch * rows.rows_per_epoch, 8) for epoch in (0, 1))
    assert not torch.equal(first.token_type_ids, second.token_type_ids)


def test_one_document_has_nothing_to_draw_strangers_from(make_shards: Make) -> None:
    with pytest.raises(UserError, match=r"has 1 documents, pairs of texts want two or more"):
        SentencePairs(length=16).build(make_shards({"a": "one long text " * 9}).train, BERT, seed=0)
    with pytest.raises(ValueError, match="length: 5 leaves no room for two texts"):
        SentencePairs(length=5)
