"""A task: some files of a corpus, the unit that one process works on and that is never half done.

Its results are files named after its number. The last to appear is its ledger, so a task with a ledger is done and is
not done again after a kill; all of them are written aside and renamed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hornbook.corpus.sources import File, Sources, files

TASK_BYTES = 32_000_000  # neighbouring files are taken together up to this size; a larger file is a task of its own
TASK_FILES = 2_000


@dataclass(frozen=True)
class Task:
    """Files that are read together."""

    number: int
    files: tuple[File, ...]
    bytes: int


@dataclass(frozen=True)
class Place:
    """Where the results of a task lie, in the folder of its stage."""

    stage: Path
    number: int

    @property
    def documents(self) -> Path:
        """What was kept, as Parquet (rows.py)."""
        return self.stage / f"{self.number:06d}.parquet"

    @property
    def dropped(self) -> Path:
        """What was dropped, with the reasons."""
        return self.stage / f"{self.number:06d}.dropped.parquet"

    @property
    def scan(self) -> Path:
        """What the step that follows has noted of every document."""
        return self.stage / f"{self.number:06d}.scan.arrow"

    @property
    def decisions(self) -> Path:
        """What that step has decided."""
        return self.stage / f"{self.number:06d}.decisions.arrow"

    @property
    def timing(self) -> Path:
        """What it took (clock.py)."""
        return self.stage / f"{self.number:06d}.timing.json"

    @property
    def ledger(self) -> Path:
        """The account; written last."""
        return self.stage / f"{self.number:06d}.json"


def stages(work: Path) -> list[Path]:
    """The folders of the stages that have begun, in order."""
    return sorted(work.glob("stage-*"), key=lambda folder: int(folder.name.rpartition("-")[2]))


def places(stage: Path) -> list[Place]:
    """The tasks of a stage that are done, in order."""
    ledgers = (path for path in stage.glob("*.json") if path.stem.isdigit())
    return [Place(stage, number) for number in sorted(int(path.stem) for path in ledgers)]


def tasks(sources: Sources, fault: Callable[[str, str], None]) -> Iterator[Task]:
    """The files of the sources, in order, in tasks of about the same size."""
    taken: list[File] = []
    total = number = 0
    for file in files(sources, fault):
        size = file_bytes(file)
        if taken and (total + size > TASK_BYTES or len(taken) >= TASK_FILES):
            yield Task(number, tuple(taken), total)
            taken, total, number = [], 0, number + 1
        taken.append(file)
        total += size
    if taken:
        yield Task(number, tuple(taken), total)


def file_bytes(file: File) -> int:
    """The size of a file; 0 where it cannot be had."""
    try:
        return file.path.stat().st_size
    except OSError:
        return 0
