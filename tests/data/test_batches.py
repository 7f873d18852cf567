from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.data.batches import Batch, Windows
from hornbook.data.shards import Shards

Make = Callable[..., Shards]
TEXTS = {
    f"d{number}": "".join(chr(97 + (number * 7 + i) % 26) for i in range(3 + number * 5 % 17)) for number in range(30)
}


def book_windows(ids: list[int], length: int, stride: int) -> list[tuple[list[int], list[int]]]:
    """GPTDatasetV1 of the book, section 2.6, in its own words: inputs and targets one further on."""
    return [
        (ids[start : start + length], ids[start + 1 : start + length + 1])
        for start in range(0, len(ids) - length, stride)
    ]


def test_windows_are_the_books(make_shards: Make) -> None:
    split = make_shards(TEXTS).train
    ids = split.ids.tolist()
    for length in (1, 2, 5, 64, len(ids) - 1):
        for stride in (None, 1, 3, 64, 1000):
            source = Windows(length=length, stride=stride).build(split, seed=None)
            batch = source.batch(0, source.rows_per_epoch)
            wanted = book_windows(ids, length, stride or length)
            assert list(zip(batch.input_ids.tolist(), batch.labels.tolist(), strict=True)) == wanted


def test_an_epoch_holds_every_window_once_in_another_order(make_shards: Make) -> None:
    split = make_shards(TEXTS).train
    source = Windows(length=8).build(split, seed=3)
    rows = source.rows_per_epoch
    plain = Windows(length=8).build(split, seed=None).batch(0, rows).input_ids.tolist()
    first, second = (source.batch(epoch * rows, rows).input_ids.tolist() for epoch in (0, 1))
    assert sorted(first) == sorted(second) == sorted(plain)
    assert first != second
    assert first != plain


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(first=st.integers(0, 500), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_rows_do_not_depend_on_how_they_are_asked_for(
    make_shards: Make, first: int, cuts: list[int], seed: int
) -> None:
    split = make_shards_once(make_shards).train
    source = Windows(length=8, stride=5).build(split, seed=seed)
    together = source.batch(first, sum(cuts))
    names = source.documents(first, sum(cuts))
    row = first
    for cut in cuts:
        fresh = Windows(length=8, stride=5).build(split, seed=seed)  # another process, or the same one resumed
        part = fresh.batch(row, cut)
        assert torch.equal(part.input_ids, together.input_ids[row - first : row - first + cut])
        assert torch.equal(part.labels, together.labels[row - first : row - first + cut])
        assert fresh.documents(row, cut) == names[row - first : row - first + cut]
        row += cut


_made: list[Shards] = []


def make_shards_once(make: Make) -> Shards:
    if not _made or not _made[0].folder.exists():
        _made[:] = [make(TEXTS)]
    return _made[0]


def test_the_types_are_what_torch_wants(make_shards: Make) -> None:
    batch = Windows(length=8).build(make_shards(TEXTS).train, seed=0).batch(2, 3)
    assert batch.input_ids.dtype == batch.labels.dtype == torch.int64
    assert batch.input_ids.shape == batch.labels.shape == (3, 8)
    assert batch.labels.is_contiguous()
    assert batch.input_ids.is_contiguous()
    moved = Batch(batch.input_ids, batch.labels, batch.input_ids.int()).to("cpu")
    assert torch.equal(moved.input_ids, batch.input_ids)
    assert moved.document_ids is not None
    assert moved.positions is None


def test_the_names_are_those_of_the_documents_in_the_window(make_shards: Make) -> None:
    split = make_shards({"a": "aaa", "b": "bb", "c": "cccccc"}).train  # aaa.bb.cccccc.
    source = Windows(length=5).build(split, seed=None)
    assert source.documents(0, 2) == [["a", "b"], ["b", "c"]]


def test_seeking_far_ahead_costs_nothing(make_shards: Make) -> None:
    source = Windows(length=8).build(make_shards(TEXTS).train, seed=0)
    far = 10**15 + 7
    again = source.batch(far, 2)
    assert again.input_ids.tolist()[1] == source.batch(far + 1, 1).input_ids.tolist()[0]


def test_a_text_too_small_for_one_window_is_an_error(make_shards: Make) -> None:
    with pytest.raises(UserError, match="wants 257"):
        Windows(length=256).build(make_shards({"a": "short"}).train, seed=0)


@pytest.mark.parametrize(
    ("length", "stride", "field"), [(0, None, "length: 0"), (8, 0, "stride: 0"), (8, -1, "stride: -1")]
)
def test_impossible_sizes_are_refused(length: int, stride: int | None, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Windows(length=length, stride=stride)


def test_wide_ids_come_out_right(make_shards: Make) -> None:
    split = make_shards({"a": "abcdef"}).train
    object.__setattr__(split, "ids", np.array([70_000, 1, 2, 80_000], dtype=np.uint32))
    assert Windows(length=3).build(split, seed=None).batch(0, 1).labels.tolist() == [[1, 2, 80_000]]
