from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hornbook.data import pack
from hornbook.data.batches import IGNORE
from hornbook.data.pack import Packed, best_fit, pieces
from hornbook.data.shards import Shards

Make = Callable[..., Shards]
LENGTH = 16


def texts(seed: int = 0, count: int = 60) -> dict[str, str]:
    numbers = np.random.default_rng(seed)
    return {
        f"d{number}": "".join(chr(97 + c) for c in numbers.integers(0, 26, size=int(numbers.exponential(12))))
        for number in range(count)
    }


def slow_best_fit(sizes: list[int], length: int) -> list[list[int]]:
    """The textbook rule: longest first, each where the least space is left, else a new row."""
    rows: list[list[int]] = []
    for size in sorted(sizes, reverse=True):
        fitting = [row for row in rows if length - sum(row) >= size]
        if fitting:
            min(fitting, key=lambda row: length - sum(row)).append(size)
        else:
            rows.append([size])
    return rows


@given(st.lists(st.integers(1, 20), min_size=1, max_size=80), st.integers(20, 40))
def test_best_fit_is_the_textbook_rule(sizes: list[int], length: int) -> None:
    row_of = best_fit(np.array(sizes), length)
    filled = np.bincount(row_of, weights=sizes)
    assert filled.max() <= length
    assert sorted(filled.tolist()) == sorted(map(sum, slow_best_fit(sizes, length)))


@given(st.lists(st.integers(1, 70), min_size=1, max_size=40), st.integers(1, 30))
def test_pieces_cover_every_token_as_a_label_once(sizes: list[int], length: int) -> None:
    borders = np.concatenate([[0], np.cumsum(sizes)])
    starts, counts = pieces(borders, length)
    labels = [start + 1 + i for start, count in zip(starts, counts, strict=True) for i in range(count)]
    assert sorted(labels) == list(range(1, borders[-1]))
    assert counts.max(initial=1) <= length
    owner = np.searchsorted(borders, np.stack([starts + 1, starts + counts], axis=1), "right")
    assert (owner[:, 0] == owner[:, 1]).all()  # no piece reaches into the next document


def test_every_token_is_trained_once_an_epoch(make_shards: Make) -> None:
    split = make_shards(texts()).train
    source = Packed(length=LENGTH).build(split, seed=4)
    batch = source.batch(source.rows_per_epoch, source.rows_per_epoch)  # the second epoch
    trained = batch.labels[batch.labels != IGNORE]
    assert Counter(trained.tolist()) == Counter(split.ids[1:].tolist())
    assert source.utilisation == pytest.approx(len(trained) / batch.labels.numel())
    assert source.utilisation > 0.95


def test_each_numbered_stretch_is_a_part_of_one_document_and_its_next_token(make_shards: Make) -> None:
    some = {name: text for name, text in texts().items() if text}
    source = Packed(length=LENGTH).build(make_shards(some).train, seed=4)
    batch, names = source.batch(0, 40), source.documents(0, 40)
    assert batch.document_ids is not None
    for row, listed in enumerate(names):
        for number, name in enumerate(listed):
            here = batch.document_ids[row] == number
            stretch = [*batch.input_ids[row][here].tolist(), batch.labels[row][here][-1].item()]
            assert batch.labels[row][here].tolist() == stretch[1:]
            document = [256, *some[name].encode(), 256]
            assert any(document[i : i + len(stretch)] == stretch for i in range(len(document)))
        padding = batch.document_ids[row] >= len(listed)
        assert set(batch.labels[row][padding].tolist()) <= {IGNORE}


def test_documents_are_numbered_and_positions_start_again(make_shards: Make) -> None:
    split = make_shards({"a": "aaaa", "b": "bbb", "c": "cc"}).train  # aaaa.bbb.cc.
    source = Packed(length=8).build(split, seed=None)
    batch = source.batch(0, 2)
    assert batch.document_ids is not None
    assert batch.positions is not None
    show = {97: "a", 98: "b", 99: "c", 256: ".", IGNORE: "-"}
    assert ["".join(show[i] for i in row) for row in batch.input_ids.tolist()] == ["aaaa.bbb", ".cc....."]
    assert ["".join(show[i] for i in row) for row in batch.labels.tolist()] == ["aaa.bbb.", "cc.-----"]
    assert batch.document_ids.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1, 1]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 0, 1, 2, 3], [0, 1, 2, 0, 1, 2, 3, 4]]
    assert batch.document_ids.dtype == torch.int32
    assert source.documents(0, 2) == [["a", "b"], ["c"]]


def test_without_the_mask_rows_are_the_same_text(make_shards: Make) -> None:
    split = make_shards(texts()).train
    masked = Packed(length=LENGTH).build(split, seed=1).batch(3, 5)
    plain = Packed(length=LENGTH, document_mask=False).build(split, seed=1).batch(3, 5)
    assert torch.equal(masked.input_ids, plain.input_ids)
    assert torch.equal(masked.labels, plain.labels)
    assert plain.document_ids is None
    assert plain.positions is None


_made: list[Shards] = []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(first=st.integers(0, 300), cuts=st.lists(st.integers(1, 7), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_rows_do_not_depend_on_how_they_are_asked_for(
    make_shards: Make, first: int, cuts: list[int], seed: int
) -> None:
    if not _made:
        _made.append(make_shards(texts()))
    split = _made[0].train
    together = Packed(length=LENGTH).build(split, seed=seed).batch(first, sum(cuts))
    fresh = Packed(length=LENGTH).build(split, seed=seed)
    borders = [first, *(first + np.cumsum(cuts)).tolist()]
    parts = [fresh.batch(a, b - a) for a, b in pairwise(borders)]
    for name in ("input_ids", "labels", "document_ids", "positions"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(together, name))


def test_the_plan_is_kept_mapped_and_made_once(make_shards: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    split = make_shards(texts()).train
    first = Packed(length=LENGTH).build(split, seed=0)
    assert isinstance(first.plan.starts, np.memmap)
    monkeypatch.setattr(pack, "best_fit", lambda *_: pytest.fail("the plan was made again"))
    assert torch.equal(Packed(length=LENGTH).build(split, seed=0).batch(0, 9).labels, first.batch(0, 9).labels)


def test_processes_that_plan_at_once_agree_and_a_killed_one_is_no_plan(make_shards: Make) -> None:
    split = make_shards(texts()).train
    first = pack.plan(split, LENGTH)
    rows = next(split.folder.glob("*.rows"))
    rows.rename(rows.with_name(".kept"))  # as if this process had not finished
    second = pack.plan(split, LENGTH)
    assert np.array_equal(first.starts, second.starts)  # the first one's mapping outlives the replaced file
    assert np.array_equal(first.rows, second.rows)
    assert not list(split.folder.glob(".*.aside"))


def test_groups_of_documents_join_without_a_seam(make_shards: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    split = make_shards(texts()).train
    monkeypatch.setattr(pack, "GROUP", 7)
    source = Packed(length=LENGTH).build(split, seed=0)
    labels = source.batch(0, source.rows_per_epoch).labels
    assert Counter(labels[labels != IGNORE].tolist()) == Counter(split.ids[1:].tolist())


def test_every_document_is_named_in_the_rows_that_hold_it(make_shards: Make) -> None:
    some = {name: text for name, text in texts().items() if text}
    source = Packed(length=LENGTH).build(make_shards(some).train, seed=0)
    named = {name for row in source.documents(0, source.rows_per_epoch) for name in row}
    assert named == set(some)


def test_impossible_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="length: 0"):
        Packed(length=0)
