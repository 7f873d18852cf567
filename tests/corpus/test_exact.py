"""Exact duplicates: the first stays, whatever the parts, tasks and order of looking."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.exact import ExactDuplicates, firsts
from tests.corpus.over_tasks import across, made


@given(st.lists(st.lists(st.integers(0, 12)), max_size=6), st.integers(1, 40))
def test_the_first_of_each_kind_is_kept(tasks: list[list[int]], at_once: int) -> None:
    """Numbers spread over all 64 bits, so that the parts are not empty."""
    arrays = [np.array(task, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) for task in tasks]
    seen: set[int] = set()
    want = []
    for task in tasks:
        want.append([])
        for number in task:
            want[-1].append(number not in seen)
            seen.add(number)
    with TemporaryDirectory() as folder:
        found = firsts(lambda: iter(arrays), Path(folder), at_once=at_once)
    assert [flags.tolist() for flags in found] == want


def test_across_tasks_with_a_reason(tmp_path: Path) -> None:
    documents = made(["a", "b", "a", "b", "c"])
    result = across(ExactDuplicates(), [documents[:3], [], documents[3:]], tmp_path)
    assert [(d.id, reason) for d, reason in result.dropped] == [("2", "exact duplicate"), ("3", "exact duplicate")]
    assert [d.id for d in result.kept] == ["0", "1", "4"]
