"""`hornbook corpus inspect`: the account of a corpus in the terminal, then its documents one after the other.

A corpus that is still being made is looked at as far as it is: the tasks that are done.
"""

import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from hornbook.core.errors import UserError
from hornbook.core.source import closest
from hornbook.core.table import print_table
from hornbook.corpus.document import Document
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.rows import SCHEMA, from_arrow
from hornbook.corpus_run import print_ledger
from hornbook.corpus_samples import shown
from hornbook.corpus_state import State, open_corpus

FIRST = 5  # documents that are shown where nobody can ask for the next
LETTERS = 3_000  # of a document, which has more lines than a page shows
REASONS = 20  # lines of the table of reasons


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which documents are looked for."""

    reason: str | None = None
    step: str | None = None
    pattern: str | None = None  # a regular expression
    kept: bool = False

    def __post_init__(self) -> None:
        if self.kept and (self.reason or self.step):
            raise UserError("--kept: documents that were kept have no reason and no step; leave one of the two out")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise UserError(
                f"--grep: {self.pattern!r} is no regular expression ({error}); put \\ before signs"
            ) from None

    def check(self, ledger: Ledger) -> None:
        """Raise UserError where no document can have that step or reason."""
        steps = ledger.steps
        if self.step is not None and self.step not in steps:
            raise UserError(f"--step: no step is called {self.step!r}{closest(self.step, steps)}; {', '.join(steps)}")
        there = [why for step in steps.values() if self.step in (None, step.name) for why in step.dropped]
        if self.reason is not None and self.reason not in there:
            raise UserError(
                f"--reason: nothing was dropped for {self.reason!r}{closest(self.reason, there)}; "
                f"there are {', '.join(dict.fromkeys(there)) or 'none'}"
            )


@dataclass(frozen=True)
class Found:
    """A document, and what became of it."""

    document: Document
    step: str = ""
    reason: str = ""


def show(folder: Path, wanted: Wanted, *, sample: int | None = None, seed: int = 0) -> None:
    """Print the account, then the documents; on a terminal one at a time."""
    state = open_corpus(folder)
    wanted.check(state.ledger)
    print(f"{state.folder}: {'being made, as far as it is' if state.running else 'finished'}")
    print_ledger(state.ledger)
    print_reasons(state.ledger)
    ask = sys.stdin.isatty() and sys.stdout.isatty()
    stream = find(state, wanted)
    chosen = iter(pick(stream, sample, seed) if sample else stream)
    number = 0
    for number, found in enumerate(chosen, 1):
        _print(found, wanted.pattern)
        if not ask and not sample and number == FIRST:
            break
        if ask and input("enter: the next, q: enough  ").strip().lower().startswith("q"):
            break
    if not number:
        print("no such document is kept to look at" if wanted.kept else _none_written(wanted))


def _none_written(wanted: Wanted) -> str:
    found = " in which that stands" if wanted.pattern else ""
    return f"no dropped document{found} was written down; keep_dropped=true in the recipe writes all of them"


def find(state: State, wanted: Wanted) -> Iterator[Found]:
    """The documents that are wanted, in order."""
    columns = SCHEMA.names if wanted.kept else [*SCHEMA.names, "step", "reason"]
    for path in state.kept if wanted.kept else state.dropped:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=columns)
                blank = [""] * len(table)
                steps, reasons = (blank if wanted.kept else table[name].to_pylist() for name in ("step", "reason"))
                documents = from_arrow(table.select(SCHEMA.names))
                for found in map(Found, documents, steps, reasons):
                    if _is_wanted(found, wanted):
                        yield found


def _is_wanted(found: Found, wanted: Wanted) -> bool:
    return (
        wanted.step in (None, found.step)
        and wanted.reason in (None, found.reason)
        and (wanted.pattern is None or re.search(wanted.pattern, found.document.text) is not None)
    )


def pick(stream: Iterator[Found], count: int, seed: int) -> list[Found]:
    """So many at random, each as likely as any other, in the order they came (Vitter's algorithm R)."""
    generator, chosen = random.Random(seed), list[tuple[int, Found]]()
    for number, found in enumerate(stream):
        if number < count:
            chosen.append((number, found))
        elif (place := generator.randrange(number + 1)) < count:
            chosen[place] = (number, found)
    return [found for _, found in sorted(chosen, key=lambda pair: pair[0])]


def print_reasons(ledger: Ledger) -> None:
    """The commonest reasons, over all steps."""
    rows = [(step.name, why, each.documents) for step in ledger.steps.values() for why, each in step.dropped.items()]
    rows.sort(key=lambda row: -row[2])
    if rows:
        print_table(("step", "dropped because", "documents"), rows[:REASONS])
    if len(rows) > REASONS:
        print(f"and {len(rows) - REASONS} more reasons\n")


def _print(found: Found, pattern: str | None) -> None:
    from rich.console import Console
    from rich.text import Text

    document = found.document
    why = f"{found.step}: {found.reason}" if found.reason else "kept"
    said = [why, document.url or document.id, f"{len(document.text):,} characters", document.language or ""]
    said += [f"{name} {value}" for name, value in document.metadata.items()]
    text = Text(shown(document.text, LETTERS))
    if pattern:
        text.highlight_regex(pattern, "reverse")
    console = Console(highlight=False)
    console.print(Text("  ".join(part for part in said if part), style="bold"))
    console.print(text, end="\n\n", soft_wrap=True)
