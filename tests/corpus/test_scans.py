"""Reading scans back: equal hashes meet whatever the parts; lists lie on a shelf and come back."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
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


SCHEMA = pa.schema([("text", pa.string()), ("list", pa.large_list(pa.int64())), ("number", pa.int64())])


def test_columns_of_several_batches(tmp_path: Path) -> None:
    first = [["学", ""], scans.list_column(np.array([4, 5, 6]), np.array([0, 0, 3])), [1, 2]]
    second = [["ab"], scans.list_column(np.array([7]), np.array([0, 1])), [3]]
    path = tmp_path / "scan"
    scans.write(path, SCHEMA, [first, second])
    assert [part.tolist() for part in scans.numbers(path, "number")] == [[1, 2], [3]]
    assert [(a.tolist(), b.tolist()) for a, b in scans.lists(path, "list")] == [([4, 5, 6], [0, 3]), ([7], [1])]
    texts = [(letters.tobytes().decode(), lengths.tolist()) for letters, lengths in scans.letters(path, "text")]
    assert texts == [("学", [3, 0]), ("ab", [2])]


def test_a_scan_of_no_documents(tmp_path: Path) -> None:
    path = tmp_path / "scan"
    scans.write(path, SCHEMA, [])
    found = scans.numbers(path, "number"), scans.lists(path, "list"), scans.letters(path, "text")
    assert [list(each) for each in found] == [[], [], []]
