from collections.abc import Callable

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE
from hornbook.data.pairs import Pairs
from hornbook.data.shards import Shards
from tests.data.conftest import MarkedTokenizer

Make = Callable[..., Shards]
SIDES = {
    f"p{n}.{side}": chr(97 + n) * size for n in range(12) for side, size in (("text", 1 + n), ("answer", 1 + n // 2))
}


def rows(make: Make, marked: MarkedTokenizer, **values: object) -> list[tuple[str, str, str]]:
    """(text, answer, name) of every row of an epoch."""
    source = Pairs(**{"length": 20, **values}).build(make(SIDES).train, marked, seed=3)
    batch, names = source.batch(0, source.rows_per_epoch), source.documents(0, source.rows_per_epoch)

    def text(ids: torch.Tensor) -> str:
        return marked.decode_bytes([id_ for id_ in ids.tolist() if id_ not in (IGNORE, marked.end)]).decode()

    sides = zip(batch.input_ids, batch.labels, names, strict=True)
    return sorted((text(source), text(answer), name) for source, answer, (name,) in sides)


def test_a_row_is_a_text_and_its_answer_each_once_an_epoch(make_shards: Make, marked: MarkedTokenizer) -> None:
    assert rows(make_shards, marked) == [
        (SIDES[f"p{n}.text"], SIDES[f"p{n}.answer"], f"p{n}.text") for n in range(12)
    ]  # fmt: skip


def test_long_pairs_are_dropped_or_cut(make_shards: Make, marked: MarkedTokenizer) -> None:
    assert [len(text) for text, *_ in rows(make_shards, marked, length=6)] == [1, 2, 3, 4, 5]
    cut = rows(make_shards, marked, length=6, long="cut")
    assert [len(text) for text, *_ in cut] == [1, 2, 3, 4] + [5] * 8
    assert [len(answer) for _, answer, _ in cut] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5]


def test_the_order_is_the_seeds_and_the_rows_are_anybodys(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards(SIDES).train
    whole = Pairs(length=20).build(split, marked, seed=5).batch(7, 6)
    for row in range(6):
        part = Pairs(length=20).build(split, marked, seed=5).batch(7 + row, 1)
        assert part.labels[0].tolist() == whole.labels[row][: part.labels.shape[1]].tolist()
    source = Pairs(length=20).build(split, marked, seed=5)
    assert (source.rows_per_epoch, source.long) == (12, 0)
    assert source.tokens_per_row == pytest.approx(sum(2 + n // 2 for n in range(12)) / 12)
    assert source.documents(0, 12) != source.documents(12, 12)


def test_pairs_that_are_all_too_long_are_an_error(make_shards: Make, marked: MarkedTokenizer) -> None:
    split = make_shards({"a": "long " * 9, "b": "longer " * 9}).train
    with pytest.raises(UserError, match=r"none of the 1 pairs of the train split fits 9 tokens"):
        Pairs(length=9).build(split, marked, seed=0)
    with pytest.raises(ValueError, match="length: 2 leaves no room"):
        Pairs(length=2)
