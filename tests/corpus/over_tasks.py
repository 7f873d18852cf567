"""A step that looks across documents, run in a test as the engine runs it: scan, decide, apply."""

from pathlib import Path

import pyarrow as pa

from hornbook.corpus.document import Across, Document, Result


def across(step: Across, tasks: list[list[Document]], folder: Path, *, batch: int = 1_000) -> Result:
    """What becomes of all documents of all tasks."""
    scans = [folder / f"{number}.scan" for number in range(len(tasks))]
    decisions = [folder / f"{number}.decisions" for number in range(len(tasks))]
    for path, task in zip(scans, tasks, strict=True):
        schema = step.scan([]).schema
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as file:
            for start in range(0, len(task), batch):
                file.write_batch(step.scan(task[start : start + batch]))
    step.decide(scans, decisions)
    assert sorted(folder.iterdir()) == sorted(scans + decisions), "leaves nothing behind"
    total = Result([])
    for path, task in zip(decisions, tasks, strict=True):
        with pa.memory_map(str(path)) as source:
            decided = pa.ipc.open_file(source).read_all().combine_chunks()
            assert len(decided) == len(task)
            for start in range(0, len(task), batch):
                part = task[start : start + batch]
                result = step.apply(part, decided.slice(start, len(part)).to_batches()[0])
                total.kept.extend(result.kept)
                total.dropped.extend(result.dropped)
                total.changed.extend(result.changed)
    return total


def made(texts: list[str], source: str = "s") -> list[Document]:
    """Documents named by their place."""
    return [Document(str(number), text, source) for number, text in enumerate(texts)]
