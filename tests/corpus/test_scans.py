"""Reading scans back: equal hashes meet whatever the parts; lists lie on a shelf and come back."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus import scans


@given(st.lists(st.lists(st.integers(0, 2**64 - 1)), max_size=5), st.integers(1, 20))
def test_every_hash_comes_once_and_equal_ones_in_the_same_part(tasks: list[list[int]], at_once: int) -> None:
    arrays = [np.array(task + task[:3], np.uint64) for task in tasks]
    everything = np.concatenate([np.empty(0, np.uint64), *arrays])
    where: dict[int, int] = {}
    seen = []
    with TemporaryDirectory() as folder:
        parts = scans.together(lambda: iter(arrays), Path(folder), at_once=at_once)
        for part, (places, hashes) in enumerate(parts):
            assert (everything[places] == hashes).all()
            assert (np.diff(places) > 0).all()
            assert all(where.setdefault(number, part) == part for number in hashes.tolist())
            seen += places.tolist()
        assert list(Path(folder).iterdir()) == []
    assert sorted(seen) == list(range(len(everything)))


def test_parts_are_small_enough(tmp_path: Path) -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, 10_000, np.uint64)
    sizes = [len(part) for part, _ in scans.together(lambda: iter([hashes]), tmp_path, at_once=1_000)]
    assert (len(sizes), sum(sizes)) == (16, 10_000)
    assert max(sizes) < 1_000


@given(st.lists(st.lists(st.integers(0, 255)), max_size=8), st.data())
def test_a_shelf_gives_back_what_lies_on_it(rows: list[list[int]], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.integers(0, len(rows) - 1))) if rows else []
    pairs = [(np.array(row, np.int64), np.array([len(row)])) for row in rows]
    with TemporaryDirectory() as folder:
        shelf = scans.Shelf(Path(folder) / "shelf", iter(pairs), np.uint8)
        values, offsets = shelf(np.array(wanted, np.int64))
    assert [values[a:b].tolist() for a, b in pairwise(offsets)] == [rows[i] for i in wanted]


def test_columns_of_several_batches(tmp_path: Path) -> None:
    first = {"text": ["学", ""], "list": scans.lists(np.array([4, 5, 6]), np.array([0, 0, 3])), "number": [1, 2]}
    second = {"text": ["ab"], "list": scans.lists(np.array([7]), np.array([0, 1])), "number": [3]}
    path = tmp_path / "scan"
    batches = [pa.record_batch({name: pa.array(values) for name, values in each.items()}) for each in (first, second)]
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batches[0].schema) as file:
        for batch in batches:
            file.write_batch(batch)
    assert scans.read_column(path, "number").tolist() == [1, 2, 3]
    assert [part.tolist() for part in scans.read_lists(path, "list")] == [[4, 5, 6, 7], [0, 3, 1]]
    letters, lengths = scans.read_texts(path, "text")
    assert (letters.tobytes().decode(), lengths.tolist()) == ("学ab", [3, 0, 2])


@pytest.mark.parametrize("kind", [pa.uint64(), pa.large_list(pa.uint64()), pa.string()])
def test_a_scan_of_no_documents(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "scan"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, pa.schema([("a", kind)])):
        pass
    if kind == pa.string():
        assert [len(part) for part in scans.read_texts(path, "a")] == [0, 0]
    elif kind == pa.uint64():
        assert len(scans.read_column(path, "a")) == 0
    else:
        assert [len(part) for part in scans.read_lists(path, "a")] == [0, 0]
