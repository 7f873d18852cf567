"""Exact duplicates: the first stays, whatever the parts, tasks and order of looking."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.document import Document
from hornbook.corpus.exact import ExactDuplicates, firsts, read_column


def document(text: str, name: str = "d") -> Document:
    return Document(name, text, "s")


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
    assert [flags.tolist() for flags in firsts(lambda: iter(arrays), at_once)] == want


def test_across_tasks_with_a_reason(tmp_path: Path) -> None:
    step = ExactDuplicates()
    tasks = [[document("a"), document("b"), document("a", "copy")], [], [document("b", "again"), document("c")]]
    scans = [tmp_path / f"scan-{i}" for i in range(3)]
    for path, task in zip(scans, tasks, strict=True):
        batch = step.scan(task)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as file:
            file.write_batch(batch)
    decisions = [tmp_path / f"decision-{i}" for i in range(3)]
    step.decide(scans, decisions)
    dropped = []
    for path, task in zip(decisions, tasks, strict=True):
        assert len(read_column(path, "keep")) == len(task)
        with pa.memory_map(str(path)) as source:
            result = (
                step.apply(task, pa.ipc.open_file(source).read_all().combine_chunks().to_batches()[0]) if task else None
            )
        dropped += [(d.id, reason) for d, reason in result.dropped] if result else []
    assert dropped == [("copy", "exact duplicate"), ("again", "exact duplicate")]
