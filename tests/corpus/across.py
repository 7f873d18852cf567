"""An across-document step over some tasks, as the engine does it."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from hornbook.corpus.document import Across, Document, Result


def run(step: Across, tasks: Sequence[list[Document]], folder: Path) -> list[Result]:
    """Scan every task, decide, apply to every task in two batches."""
    scans = [folder / f"{number}.scan" for number in range(len(tasks))]
    decisions = [folder / f"{number}.decisions" for number in range(len(tasks))]
    for path, task in zip(scans, tasks, strict=True):
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, step.scan([]).schema) as file:
            for part in (task[:2], task[2:]):
                if part:
                    file.write_batch(step.scan(part))
    step.decide(scans, decisions)
    results = []
    for path, task in zip(decisions, tasks, strict=True):
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all().combine_chunks()
        assert len(table) == len(task)
        result = Result([])
        for start, part in ((0, task[:2]), (2, task[2:])):
            if part:
                done = step.apply(part, table.slice(start, len(part)).to_batches()[0])
                result.kept.extend(done.kept)
                result.dropped.extend(done.dropped)
                result.changed.extend(done.changed)
        results.append(result)
    return results
