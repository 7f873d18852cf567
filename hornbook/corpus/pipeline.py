"""From the files a recipe names to a clean corpus in Parquet, with a reason for everything that was left out.

Documents stream through in batches: memory does not grow with the input. What a run has done it does not do again: its
work lies beside the corpus until the corpus is whole (engine.py).
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, read_json, write_json
from hornbook.corpus import sources
from hornbook.corpus.clean import MinimumLength, Normalise
from hornbook.corpus.clock import timing
from hornbook.corpus.document import Document, size
from hornbook.corpus.dropped import gather
from hornbook.corpus.engine import Engine, Progress
from hornbook.corpus.evaluation_report import gather_items
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.local import Local
from hornbook.corpus.mixture import Account, Mixture, copies
from hornbook.corpus.ray_engine import Ray
from hornbook.corpus.rows import read
from hornbook.corpus.split import Split
from hornbook.corpus.stage import Reading
from hornbook.corpus.steps import CorpusStep
from hornbook.corpus.task import Place, Task, tasks
from hornbook.corpus.write import Writer


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Which documents a model is made from, and what is done to them."""

    USUAL: ClassVar[bool] = True
    """A `corpus:` that does not give its type is one."""
    source: str | tuple[str, ...] | dict[str, str | tuple[str, ...]] = sources.STDLIB
    """`stdlib`, a file, a folder, a glob, a list of them, or a mapping that gives each, or each list, a name."""
    column: str = "text"
    """The column of JSONL, JSON, CSV and Parquet that holds the text."""
    steps: tuple[CorpusStep, ...] = (Normalise(), MinimumLength(), ExactDuplicates())
    """In the order they run."""
    mixture: Mixture | None = None
    """How much of each source there is in the end; null: all of it, once."""
    validation: float = 0.05
    """Share of the documents that is held out."""
    bad_share: float = 0.05
    """Largest share of files and lines that may be unreadable; above it the run stops with the first of them."""
    keep_dropped: bool = False
    """Write down every dropped document; False: the first few of each reason and task."""
    engine: Local | Ray = field(default_factory=Local)
    """Where the work is done. What comes out is the same."""

    def __post_init__(self) -> None:
        if not self.source:
            raise ValueError("source: an empty list has nothing to read; name stdlib, a file or a folder")
        if not 0 <= self.validation <= 0.5:
            raise ValueError(f"validation: {self.validation} is not a share between 0 and 0.5; try 0.05")
        if not 0 <= self.bad_share <= 1:
            raise ValueError(f"bad_share: {self.bad_share} is not a share between 0 and 1; try 0.05")

    @property
    def sources(self) -> sources.Sources:
        """Several sources, also where the recipe names one."""
        return (self.source,) if isinstance(self.source, str) else self.source

    def fingerprint(self) -> str:
        """Hash of what the sources hold now; with the recipe it decides whether the corpus has to be made again."""
        return sources.fingerprint(self.sources)


def run(
    config: Corpus,
    folder: Path,
    *,
    progress: Progress | None = None,
    timed: Callable[[dict[str, Any]], None] | None = None,
) -> Ledger:
    """Write `{train,validation}-NNNNN.parquet`, dropped/, ledger.json and pairs of near duplicates into a new folder.

    `timed` is told what each step took. Raises UserError where nothing can be read, too much is bad, or no document is
    left for training.
    """
    ledger, work = Ledger(), work_folder(folder)
    places = _process(config, work, ledger, progress)
    with new_folder(folder) as aside:
        pairs = gather(work, aside, everything=config.keep_dropped)
        writers = {split: Writer(aside, split) for split in ("train", "validation")}
        _write(config, places, ledger, writers, _kept(places, ledger, pairs.see, progress))
        ledger.fingerprint = "".join(writer.close() for writer in writers.values())
        _check(config, ledger)
        pairs.write(aside)
        gather_items(work, aside)
        write_json(aside / "ledger.json", ledger.plain())
    if timed:
        timed(timing(work))
    shutil.rmtree(work)
    return ledger


def _write(
    config: Corpus, places: list[Place], ledger: Ledger, writers: dict[str, Writer], kept: Iterator[list[Document]]
) -> None:
    """Hold a part out, mix the rest, and write both."""
    sizes = _bytes_by_source(places) if config.mixture else {}
    passes = config.mixture.passes(sizes) if config.mixture else {}
    split, account = Split(config.validation), Account(passes, sizes)
    for name, document in split(kept):
        for copy in copies(document, passes) if name == "train" else [document]:
            writers[name].write(copy)
            ledger.splits[name].add(copy)
            if name == "train":
                account.add(copy)
    ledger.split_rule, ledger.mixture = split.rule, account.plain()


def _bytes_by_source(places: list[Place]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for place in places:
        for batch in read(place.documents):
            for document in batch:
                sizes[document.source] = sizes.get(document.source, 0) + size(document.text)
    return sizes


def work_folder(folder: Path) -> Path:
    """Where a corpus that will be in `folder` is being made."""
    return folder.with_name(f".{folder.name}.work")


def clean(config: Corpus, ledger: Ledger, progress: Progress | None = None) -> Iterator[list[Document]]:
    """The cleaned documents of a corpus, batch by batch, not written anywhere; `ledger` keeps the account."""
    with tempfile.TemporaryDirectory() as work:
        yield from _kept(_process(config, Path(work), ledger, progress), ledger)


def _process(config: Corpus, work: Path, ledger: Ledger, progress: Progress | None) -> list[Place]:
    """All steps; what is done is in `work`, and stays there until it is of no more use."""
    listed = list(tasks(config.sources, ledger.fault))
    _begin(config, listed, work)
    strict = sources.is_one_file(config.sources)
    run = Engine(work, config.engine.each, config.keep_dropped, progress)
    return run.run(listed, Reading(config.column, strict, config.bad_share), config.steps, ledger)


def _begin(config: Corpus, listed: list[Task], work: Path) -> None:
    """Go on with what is in the work folder, if it is of the same recipe and files; else begin anew."""
    digest = hashlib.sha256(json.dumps(recipe.dump(replace(config, engine=Local()))).encode())
    for task in listed:
        for file in task.files:
            digest.update(f"{file.source}\0{file.id}\0{_changed(file)}\0".encode(errors="surrogateescape"))
    job = {"job": digest.hexdigest()}
    mark = work / "job.json"
    if mark.is_file() and read_json(mark) == job:
        return
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_json(mark, job)


def _changed(file: sources.File) -> str:
    try:
        found = file.path.stat()
    except OSError as error:
        return f"error {error.errno}"
    return f"{found.st_size} {found.st_mtime_ns}"


def _kept(
    places: list[Place],
    ledger: Ledger,
    see: Callable[[Document], None] | None = None,
    progress: Progress | None = None,
) -> Iterator[list[Document]]:
    """What all steps left, in order; each document is shown to `see`."""
    total, done = sum(place.documents.stat().st_size for place in places), 0
    for place in places:
        if progress:
            progress("split and write", done, total)
        done += place.documents.stat().st_size
        for batch in read(place.documents):
            for document in batch:
                ledger.keep(document)
                if see:
                    see(document)
            yield batch
    if progress:
        progress("split and write", total, total)


def _check(config: Corpus, ledger: Ledger) -> None:
    """Raise UserError unless the corpus can be used."""
    ledger.check_bad(config.bad_share)
    place = ", ".join(sources.paths(config.sources))
    if not ledger.read:
        binary = sum(ledger.skipped.values())
        raise UserError(
            f"{place}: no text could be read ({binary} binary files, {ledger.bad} bad files or lines); name text files"
        )
    if not ledger.splits["train"].documents:
        reasons = {why: reason.documents for step in ledger.steps.values() for why, reason in step.dropped.items()}
        listed = ", ".join(f"{count} {why}" for why, count in reasons.items()) or "all held out for validation"
        found = sum(total.characters for total in ledger.read.values())
        raise UserError(
            f"{place}: no document is left of {ledger.documents_read} with {found} characters ({listed}); "
            "give more text, or change corpus.steps"
        )
