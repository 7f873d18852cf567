"""BART's five kinds of noise: their figures, what they keep, and the answer is always the text."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from hornbook.data.batches import IGNORE, Windows
from hornbook.data.noise import (
    DeleteTokens,
    Denoise,
    HideTokens,
    Infill,
    PermuteSentences,
    Rotate,
    draw_lengths,
    infill,
)
from hornbook.data.order import row_generator
from hornbook.data.shards import Shards
from tests.data.conftest import MarkedTokenizer

Make = Callable[..., Shards]
TEXT = "All happy families are alike. Each unhappy family is unhappy in its own way. Everything was in confusion."
IDS = np.frombuffer((TEXT * 5)[:512].encode(), dtype=np.uint8).astype(np.int64)
ROWS = 2000
MASK = MarkedTokenizer().special["<mask>"]


def changed(noise: object, rows: int = ROWS, ids: np.ndarray = IDS) -> list[np.ndarray]:
    change = noise.build(MarkedTokenizer())
    return [change(ids, row_generator(0, row)) for row in range(rows)]


def test_hidden_tokens_are_fifteen_in_a_hundred() -> None:
    rows = np.stack(changed(HideTokens()))
    assert rows.size > 1e6
    assert (rows == MASK).mean() == pytest.approx(0.15, rel=0.01)
    assert (np.where(rows == MASK, IDS, rows) == IDS).all()


def test_deleted_tokens_are_fifteen_in_a_hundred_and_the_rest_keeps_its_order() -> None:
    rows = changed(DeleteTokens())
    assert 1 - sum(map(len, rows)) / (ROWS * len(IDS)) == pytest.approx(0.15, rel=0.01)
    numbered = changed(DeleteTokens(), 20, np.arange(512))
    assert all((np.diff(row) > 0).all() for row in numbered)


def test_infilling_takes_thirty_in_a_hundred_in_poisson_spans_of_three() -> None:
    """Lewis et al. 2020, sections 2.2 and 5."""
    lengths = [draw_lengths(512, 0.3, row_generator(0, row)) for row in range(ROWS)]
    flat = np.concatenate(lengths)
    assert ROWS * 512 > 1e6
    assert flat.sum() / (ROWS * 512) == pytest.approx(0.3, rel=0.01)
    assert flat.mean() == pytest.approx(3, rel=0.01)
    assert flat.var() == pytest.approx(3, rel=0.02)  # a Poisson distribution's variance is its mean
    assert (flat == 0).mean() == pytest.approx(np.exp(-3), rel=0.04)  # 102,400 spans: 3 sd are 4 %
    rows = changed(Infill(), 300, np.arange(512))
    masks, left = (sum(int(found.sum()) for found in group) for group in zip(
        *((row == MASK, row != MASK) for row in rows), strict=True
    ))  # fmt: skip
    assert (300 * 512 - left) / masks == pytest.approx(3, rel=0.02)


def test_an_infilled_text_is_mended_by_its_spans() -> None:
    for row in range(50):
        rng = row_generator(1, row)
        lengths = draw_lengths(64, 0.3, rng)
        noisy = infill(np.arange(64), lengths, MASK, rng).tolist()
        assert noisy.count(MASK) == len(lengths)
        mended, following, spans = [], 0, iter(lengths.tolist())
        for id_ in noisy:
            new = range(following, following + next(spans)) if id_ == MASK else [id_]
            mended += new
            following += len(new)
        assert mended == list(range(64))
        assert not any(a == b == MASK for a, b in pairwise(noisy))


def test_permuted_sentences_keep_every_token_and_every_sentence() -> None:
    sentences = Counter(part for part in TEXT.split("."))
    orders = set()
    for row in changed(PermuteSentences(), 200, np.frombuffer(TEXT.encode(), dtype=np.uint8).astype(np.int64)):
        text = bytes(row.tolist()).decode()
        assert Counter(text.split(".")) == sentences
        orders.add(text)
    assert len(orders) == 6  # three sentences: every order comes


def test_a_rotated_text_keeps_its_tokens_and_begins_anywhere() -> None:
    rows = changed(Rotate(), 300, np.arange(40))
    assert {int(row[0]) for row in rows} == set(range(40))
    for row in rows:
        assert np.roll(row, int(row[0])).tolist() == list(range(40))


def test_the_answer_is_the_text_whatever_was_done_to_it(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards({"a": TEXT * 9}).train
    noise = (PermuteSentences(), Rotate(), DeleteTokens(), HideTokens(), Infill())
    for each in [*((one,) for one in noise), noise]:
        source = Denoise(length=48, noise=each).build(split, marked, seed=2)
        batch, plain = source.batch(5, 20), Windows(length=47).build(split, seed=2).batch(5, 20)
        assert torch.equal(batch.labels[:, :-1], plain.input_ids)
        assert (batch.labels[:, -1] == marked.end).all()
        assert batch.input_ids.shape[1] <= 48
        assert not torch.equal(batch.input_ids[:, : plain.input_ids.shape[1]], batch.labels[:, :-1])
        assert source.tokens_per_row == (batch.labels != IGNORE).sum().item() / 20


def test_rows_do_not_depend_on_how_they_are_asked_for(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards({"a": TEXT * 9}).train
    whole = Denoise(length=32).build(split, marked, seed=7).batch(100, 12)
    again = Denoise(length=32).build(split, marked, seed=7)
    for row in range(12):
        part = again.batch(100 + row, 1).input_ids[0]
        assert torch.equal(part, whole.input_ids[row][: len(part)])
        assert (whole.input_ids[row][len(part) :] == marked.special["<pad>"]).all()


def test_every_epoch_spoils_a_text_in_another_way(make_shards: Make, marked: MarkedTokenizer) -> None:
    source = Denoise(length=32, noise=(HideTokens(),)).build(make_shards({"a": TEXT * 3}).train, marked, seed=None)
    first, second = (source.batch(epoch * source.rows_per_epoch, 4) for epoch in (0, 1))
    assert torch.equal(first.labels, second.labels)
    assert not torch.equal(first.input_ids, second.input_ids)


def test_impossible_values_are_refused() -> None:
    with pytest.raises(ValueError, match="noise: without any the model learns to copy"):
        Denoise(length=32, noise=())
    with pytest.raises(ValueError, match="a share of 2 is not between 0 and 1"):
        Denoise(length=32, noise=(Infill(share=2),))
