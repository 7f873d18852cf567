"""From the files a recipe names to a clean corpus in Parquet, with a reason for everything that was left out.

Documents stream through in batches: memory does not grow with the input. Extraction from HTML, language and quality
filters and near duplicates are not here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, write_json
from hornbook.corpus import sources
from hornbook.corpus.clean import Deduplicate, MinimumLength, Normalise
from hornbook.corpus.document import Document, Step, batches
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.read import documents
from hornbook.corpus.split import Split
from hornbook.corpus.write import Writer

Progress = Callable[[int, int], None]
"""Called with (bytes of the files read so far, bytes of all files)."""

BAD_BEFORE_GIVING_UP = 1_000  # bad lines after which a run that is over its share stops instead of reading on


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Which documents a model is made from."""

    source: str | tuple[str, ...] = sources.STDLIB
    """`stdlib`, a file, a folder, a glob, or a list of them."""
    column: str = "text"
    """The column of JSONL, JSON and Parquet that holds the text."""
    min_characters: int = 16
    """Shorter documents are dropped."""
    deduplicate: bool = True
    """Drop a document whose text came before."""
    validation: float = 0.05
    """Share of the documents that is held out."""
    bad_share: float = 0.05
    """Largest share of files and lines that may be unreadable; above it the run stops with the first of them."""

    def __post_init__(self) -> None:
        if not self.source:
            raise ValueError("source: an empty list has nothing to read; name stdlib, a file or a folder")
        if self.min_characters < 0:
            raise ValueError(f"min_characters: {self.min_characters} is below zero; 0 keeps every text")
        if not 0 <= self.validation <= 0.5:
            raise ValueError(f"validation: {self.validation} is not a share between 0 and 0.5; try 0.05")
        if not 0 <= self.bad_share <= 1:
            raise ValueError(f"bad_share: {self.bad_share} is not a share between 0 and 1; try 0.05")

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources as a list, also where the recipe names one."""
        return (self.source,) if isinstance(self.source, str) else self.source

    def steps(self) -> list[Step]:
        """The steps in the order they run."""
        steps: list[Step] = [Normalise(), MinimumLength(self.min_characters)]
        return [*steps, Deduplicate()] if self.deduplicate else steps

    def fingerprint(self) -> str:
        """Hash of what the sources hold now; with the recipe it decides whether the corpus has to be made again."""
        return sources.fingerprint(self.sources)


def run(config: Corpus, folder: Path, *, progress: Progress | None = None) -> Ledger:
    """Write `{train,validation}-NNNNN.parquet` (columns id, text, source) and ledger.json into a new folder.

    Raises UserError where nothing can be read, too much is bad, or no document is left for training.
    """
    ledger = Ledger()
    with new_folder(folder) as aside:
        writers = {split: Writer(aside, split) for split in ("train", "validation")}
        split = Split(config.validation)
        for name, document in split(clean(config, ledger, progress)):
            writers[name].write(document)
            ledger.splits[name].add(document)
        ledger.split_rule = split.rule
        ledger.fingerprint = "".join(writer.close() for writer in writers.values())
        _check(config, ledger)
        write_json(aside / "ledger.json", ledger.plain())
    return ledger


def clean(config: Corpus, ledger: Ledger, progress: Progress | None = None) -> Iterator[list[Document]]:
    """Read and clean the documents of a corpus, batch by batch; `ledger` keeps the account."""
    steps = config.steps()
    for batch in batches(_read(config, ledger, progress)):
        for step in steps:
            batch = ledger.apply(step, batch)
        for document in batch:
            ledger.keep(document)
        yield batch


def _read(config: Corpus, ledger: Ledger, progress: Progress | None) -> Iterator[Document]:
    strict = sources.is_one_file(config.sources)
    total = sum(_bytes(file) for file in sources.files(config.sources, sources.ignore)) if progress else 0
    done = 0
    for file in sources.files(config.sources, ledger.fault):
        for document in documents(file, config.column, ledger, strict=strict):
            ledger.see(document)
            yield document
            if ledger.bad >= BAD_BEFORE_GIVING_UP:
                _check_bad(config, ledger)
        if progress:
            done += _bytes(file)
            progress(done, total)


def _bytes(file: sources.File) -> int:
    try:
        return file.path.stat().st_size
    except OSError:
        return 0


def _check(config: Corpus, ledger: Ledger) -> None:
    """Raise UserError unless the corpus can be used."""
    _check_bad(config, ledger)
    place = ", ".join(config.sources)
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
            f"a document wants {config.min_characters} characters (corpus.min_characters)"
        )


def _check_bad(config: Corpus, ledger: Ledger) -> None:
    if ledger.bad > config.bad_share * (ledger.bad + ledger.documents_read):
        first = ledger.bad_places[0]
        more = f" (and {ledger.bad - 1} more bad files or lines)" if ledger.bad > 1 else ""
        raise UserError(
            f"{first['place']}: {first['why']}{more}; {ledger.bad} bad of {ledger.bad + ledger.documents_read} "
            f"is over corpus.bad_share={config.bad_share}"
        )
