"""Runs the steps of a corpus over its tasks, stage by stage, on as many processes as there are.

Between two stages stands a step that looks across documents: when every task has noted what it wants to know, it
decides once. What comes out does not depend on the number of processes, nor on how often the run was killed: a task
that is done is not done again, and all are taken in order.
"""

import itertools
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.files import write_json
from hornbook.corpus.clock import Clock
from hornbook.corpus.document import Across
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.stage import Reading, Stage
from hornbook.corpus.steps import ACROSS, AcrossStep, CorpusStep, EachStep
from hornbook.corpus.task import Place, Task

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many bytes of how many are (0 of 0 where that cannot be said)."""
Each = Callable[[Stage, Iterable[Task]], Iterator[Ledger]]
"""Does every task of a stage, and gives the accounts in order: `Local().each`, `Ray().each`."""


@dataclass(frozen=True)
class Leg:
    """The steps of a stage."""

    across: AcrossStep | None
    steps: tuple[EachStep, ...]
    scan: AcrossStep | None
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """What a stage is called while it is being done."""
        return ", ".join(self.names) or "read"


@dataclass
class Engine:
    """Where a corpus is being made, and by whom."""

    work: Path
    each: Each
    keep_dropped: bool = False
    progress: Progress | None = None

    def run(self, tasks: Iterable[Task], reading: Reading, steps: Sequence[CorpusStep], ledger: Ledger) -> list[Place]:
        """All steps over all tasks; `ledger` is brought up to date. Where the documents of each task are then."""
        listed, before = list(tasks), None
        places: list[Place] = []
        for number, leg in enumerate(legs(steps)):
            folder = self.work / f"stage-{number}"
            folder.mkdir(parents=True, exist_ok=True)
            stage = Stage(folder, before or reading, leg.across, leg.steps, leg.scan, self.keep_dropped, leg.names)
            self._do(stage, listed, leg.name, ledger)
            listed = [Task(task.number, (), task.bytes) for task in listed]
            places, before = [Place(folder, task.number) for task in listed], folder
            if leg.scan is not None:
                if self.progress:
                    self.progress(f"{leg.scan.name}, all together", 0, 0)
                decide(leg.scan.build(), places)
        return places

    def _do(self, stage: Stage, tasks: list[Task], name: str, ledger: Ledger) -> None:
        total, done = sum(task.bytes for task in tasks), 0
        if self.progress:
            self.progress(name, 0, total)
        for task, account in zip(tasks, self.each(stage, tasks), strict=True):
            ledger.add(account)
            done += task.bytes
            if self.progress:
                self.progress(name, done, total)


def legs(steps: Sequence[CorpusStep]) -> list[Leg]:
    """The steps in stages: each but the first begins with a step that looks across documents."""
    cuts = [i for i, step in enumerate(steps) if isinstance(step, ACROSS)]
    parts = [steps[start:end] for start, end in zip([0, *cuts], [*cuts, len(steps)], strict=True)]
    found, names = [], iter(numbered([step.name for step in steps]))
    for number, part in enumerate(parts):
        first = part[0] if number else None
        following = parts[number + 1][0] if number + 1 < len(parts) else None
        each = tuple(typing.cast(EachStep, step) for step in part if not isinstance(step, ACROSS))
        assert first is None or isinstance(first, ACROSS)
        assert following is None or isinstance(following, ACROSS)
        found.append(Leg(first, each, following, tuple(itertools.islice(names, len(part)))))
    return found


def numbered(names: Sequence[str]) -> list[str]:
    """Names that come again, numbered, so that each step has an account of its own.

    >>> numbered(["normalise", "minimum length", "minimum length"])
    ['normalise', 'minimum length', 'minimum length (2)']
    """
    return [
        name if (before := names[:place].count(name)) == 0 else f"{name} ({before + 1})"
        for place, name in enumerate(names)
    ]


def decide(step: Across, places: Sequence[Place]) -> None:
    """Let a step decide about all tasks, unless it has."""
    if not places or (mark := places[0].stage / "decided").is_file():
        return
    clock = Clock()
    with clock(step.name):
        step.decide([place.scan for place in places], [place.decisions for place in places])
    write_json(mark, clock.seconds)
