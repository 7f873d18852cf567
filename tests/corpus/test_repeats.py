"""Which hashes an earlier document had, against a plain loop."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus import scans
from hornbook.corpus.repeats import repeated

SCHEMA = pa.schema([("hash", pa.large_list(pa.uint64()))])
ROWS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=5)


@given(st.lists(ROWS, max_size=4), st.integers(1, 30))
def test_flags_are_those_of_a_plain_loop(tasks: list[list[list[int]]], at_once: int) -> None:
    first: dict[int, int] = {}
    want, number = [], 0
    for task in tasks:
        want.append([])
        for row in task:
            number += 1
            want[-1] += [first.setdefault(value, number) != number for value in row]
    with TemporaryDirectory() as name:
        paths = [Path(name) / str(number) for number in range(len(tasks))]
        for path, task in zip(paths, tasks, strict=True):
            values = np.array([value for row in task for value in row], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            scans.write(path, SCHEMA, [[scans.list_column(values, np.cumsum([0, *map(len, task)]))]])
        found = list(repeated(paths, "hash", Path(name), at_once=at_once))
        assert sorted(Path(name).iterdir()) == sorted(paths)
    assert [flags.tolist() for flags, _ in found] == want
    assert [lengths.tolist() for _, lengths in found] == [[len(row) for row in task] for task in tasks]
