"""A stage: what can be done to each task by itself, between two steps that look across documents.

    files -> readers -> steps ... -> documents, and a scan for the step that follows
                                       (decide)
    documents -> that step -> steps ... -> documents, and a scan ...

A task that is done is not done again, whoever asks: its ledger is the last file to appear.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from hornbook.core.files import read_json, write_json
from hornbook.corpus import rows
from hornbook.corpus.clock import Clock
from hornbook.corpus.document import Document, batches
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.outputs import Outputs
from hornbook.corpus.read import documents
from hornbook.corpus.steps import AcrossStep, EachStep
from hornbook.corpus.task import Place, Task

BAD_BEFORE_GIVING_UP = 1_000  # bad lines after which a task that is over its share stops instead of reading on

READ, WRITE = "read", "write"  # what a task spends time on beside the steps


@dataclass(frozen=True)
class Reading:
    """How files become documents."""

    column: str  # of tables, that holds the text
    strict: bool  # what cannot be read is an error at once
    bad_share: float  # largest share of files and lines that may be unreadable


@dataclass(frozen=True)
class Stage:
    """What a worker has to know to do a task of it."""

    folder: Path
    reading: Reading | Path  # the folder of the stage before, where there is one
    across: AcrossStep | None  # decided, to be applied first
    steps: tuple[EachStep, ...]  # about each document alone
    scan: AcrossStep | None  # which follows, and wants to know of every document
    keep_dropped: bool  # all dropped documents, not only the first of each reason
    names: tuple[str, ...] = ()  # of `across` and `steps` in the account, where a recipe has one twice

    @property
    def named(self) -> tuple[str, ...]:
        """What `across` and `steps` are called in the account."""
        given = self.steps if self.across is None else (self.across, *self.steps)
        return self.names or tuple(step.name for step in given)

    def __call__(self, task: Task) -> Ledger:
        """Do a task, unless it is done; its account."""
        place = Place(self.folder, task.number)
        if place.ledger.is_file():
            return Ledger.of(read_json(place.ledger))
        ledger, clock, steps = Ledger(), Clock(), [step.build() for step in self.steps]
        scan = None if self.scan is None else self.scan.build()
        with Outputs(place, ledger, scan, all_dropped=self.keep_dropped) as outputs:
            names = self.named if self.across else (READ, *self.named)
            for batch in clock.each(names[0], self._batches(task, outputs)):
                for name, step in zip(names[1:], steps, strict=True):
                    with clock(name):
                        batch = outputs.account(name, batch, step(batch))
                with clock(WRITE):
                    outputs.write(batch)
                if scan is not None:
                    with clock(scan.name):
                        outputs.note(batch)
        write_json(place.timing, clock.seconds)
        write_json(place.ledger, ledger.plain())
        return ledger

    def _batches(self, task: Task, outputs: Outputs) -> Iterator[list[Document]]:
        """The documents of a task as they enter the steps."""
        if isinstance(self.reading, Reading):
            yield from batches(self._read(self.reading, task, outputs.ledger))
            return
        assert self.across is not None
        before, step, start = Place(self.reading, task.number), self.across.build(), 0
        with pa.memory_map(str(before.decisions)) as source:
            decisions = pa.ipc.open_file(source).read_all().combine_chunks()
            for batch in rows.read(before.documents):
                decided = decisions.slice(start, len(batch)).to_batches()[0]
                start += len(batch)
                yield outputs.account(self.named[0], batch, step.apply(batch, decided))

    def _read(self, reading: Reading, task: Task, ledger: Ledger) -> Iterator[Document]:
        for file in task.files:
            for document in documents(file, reading.column, ledger, strict=reading.strict):
                ledger.see(document)
                yield document
                if ledger.bad >= BAD_BEFORE_GIVING_UP:
                    ledger.check_bad(reading.bad_share)
