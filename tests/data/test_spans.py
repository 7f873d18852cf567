"""T5's spans: the paper's figures, and the answer put back gives the text."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Windows
from hornbook.data.order import row_generator
from hornbook.data.shards import Shards
from hornbook.data.spans import Spans, draw_spans, scatter, take_out
from tests.data.conftest import MarkedTokenizer

Make = Callable[..., Shards]
SENTINELS = np.arange(1000, 1400)
TEXT = "It was the best of times, it was the worst of times, it was the age of wisdom. "


def put_back(text: list[int], answer: list[int], sentinels: list[int]) -> list[int]:
    """The text with every sentinel replaced by what stands behind it in the answer: the paper's figure 2, backwards."""
    spans: dict[int, list[int]] = {}
    for id_ in answer:
        if id_ in sentinels:
            spans[id_] = last = []
        else:
            last.append(id_)
    assert last == [], "the last sentinel has nothing behind it"
    return [id_ for piece in text for id_ in (spans[piece] if piece in sentinels else [piece])]


@given(st.integers(1, 60), st.integers(0, 1000))
def test_the_answer_put_back_gives_the_text(tokens: int, row: int) -> None:
    ids = np.arange(tokens)
    text, answer = take_out(ids, SENTINELS, draw_spans(tokens, Spans(length=64), row_generator(0, row)))
    assert put_back(text.tolist(), answer.tolist(), SENTINELS.tolist()) == ids.tolist()


def test_shares_and_spans_are_those_of_the_paper_within_a_hundredth() -> None:
    """Raffel et al. 2020, section 3.3.4: 15 % in spans of 3 on average; no two touch, none is empty."""
    config, tokens = Spans(length=512), 565
    drawn = [draw_spans(tokens, config, row_generator(0, row)) for row in range(2000)]
    sizes = np.concatenate([sizes for _, sizes in drawn])
    assert 2000 * tokens > 1e6
    assert sizes.sum() / (2000 * tokens) == pytest.approx(0.15, rel=0.01)
    assert sizes.mean() == pytest.approx(3, rel=0.01)
    assert sizes.min() == 1
    assert sizes.max() > 9  # not all alike
    for starts, lengths in drawn:
        assert (starts[1:] > starts[:-1] + lengths[:-1]).all()
        assert starts[-1] + lengths[-1] <= tokens
    where = np.concatenate([np.repeat(starts, lengths) for starts, lengths in drawn]) / tokens
    assert where.mean() == pytest.approx(0.5, abs=0.01)  # anywhere in the text


def test_scatter_gives_every_arrangement_as_often() -> None:
    """Two spans of one token among four that do not touch: three ways."""
    found = [tuple(scatter(np.array([1, 1]), 4, row_generator(0, row)).tolist()) for row in range(3000)]
    assert {way: pytest.approx(1000, abs=90) for way in [(0, 2), (0, 3), (1, 3)]} == {
        way: found.count(way) for way in sorted(set(found))
    }


def test_rows_fit_whatever_chance_does_and_give_the_text_back(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards({"a": TEXT * 40}).train
    for length in (8, 13, 32, 100):
        source = Spans(length=length).build(split, marked, seed=5)
        text = Spans(length=length).text_length(length - 1)
        assert text > length - 1 if length >= 32 else text >= length - 1
        plain = Windows(length=text).build(split, seed=5).batch(0, 40)
        batch = source.batch(0, 40)
        assert batch.input_ids.shape[1] <= length
        sentinels = [marked.special[f"<extra_id_{number}>"] for number in range(64)]
        for row in range(40):
            ids, answer = batch.input_ids[row].tolist(), batch.labels[row].tolist()
            ids = ids[: ids.index(marked.special["<pad>"])] if marked.special["<pad>"] in ids else ids
            answer = [id_ for id_ in answer if id_ != IGNORE]
            assert ids[-1] == answer[-1] == marked.end
            assert put_back(ids[:-1], answer[:-1], sentinels) == plain.input_ids[row].tolist()


def test_the_decoder_reads_its_answer_one_place_late(make_shards: Make, marked: MarkedTokenizer) -> None:
    batch = Spans(length=32).build(make_shards({"a": TEXT * 9}).train, marked, seed=5).batch(0, 4)
    assert batch.decoder_input_ids[:, 0].tolist() == [marked.special["<pad>"]] * 4
    there = batch.labels[:, :-1] != IGNORE
    assert (batch.decoder_input_ids[:, 1:][there] == batch.labels[:, :-1][there]).all()


def test_sentinels_that_are_missing_are_counted(make_shards: Make) -> None:
    few = MarkedTokenizer(("<extra_id_0>", "<extra_id_1>"))
    with pytest.raises(UserError, match=r"want 7 sentinels, there are 2; add <extra_id_0> to <extra_id_6>"):
        Spans(length=100).build(make_shards({"a": TEXT * 9}).train, few, seed=0)


@pytest.mark.parametrize(
    ("values", "sentence"), [({"share": 0}, "share: 0"), ({"mean": 0.5}, "mean: spans of 0.5"), ({"length": 4}, "4")]
)
def test_impossible_values_are_refused(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Spans(**{"length": 64, **values})
