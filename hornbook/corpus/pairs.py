"""Texts and their answers from files: JSONL, two columns with a tab between, or two files whose lines belong together.

In the written corpus each pair is two documents, one after the other: the text, then its answer. What is held out is
decided by the text alone, so that two answers to one text are never on both sides.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, write_json
from hornbook.corpus import sources
from hornbook.corpus.clean import normalise, text_hash
from hornbook.corpus.document import Document
from hornbook.corpus.ledger import Ledger, Reason, StepAccount
from hornbook.corpus.packed import open_packed
from hornbook.corpus.read import kind_of
from hornbook.corpus.write import Writer

BAD_SHARE = 0.05  # of the lines may be unreadable, as in corpus.pipeline
Line = tuple[str, str | None, str | None]
"""Where it stands, the text, the answer; None where that side is missing."""


@dataclass(frozen=True, kw_only=True)
class PairFiles:
    """Which texts and answers a model is made from."""

    source: str | tuple[str, str]
    """A file of pairs, or the file of the texts and the file of the answers; also packed as .gz or .zst."""
    columns: tuple[str, str] = ("source", "target")
    """The fields of JSONL that hold the text and the answer."""
    validation: float = 0.05
    """Share of the pairs that is held out."""

    def __post_init__(self) -> None:
        if not 0 <= self.validation <= 0.5:
            raise ValueError(f"validation: {self.validation} is not a share between 0 and 0.5; try 0.05")

    @property
    def files(self) -> tuple[str, ...]:
        """The files, also where the recipe names one."""
        return (self.source,) if isinstance(self.source, str) else self.source

    def fingerprint(self) -> str:
        """Hash of what the files hold now."""
        return sources.fingerprint(self.files)


def run(config: PairFiles, folder: Path) -> Ledger:
    """Write `{train,validation}-00000.parquet`, text and answer in turn, and ledger.json into a new folder."""
    ledger, step, seen = Ledger(split_rule="by hash of the text"), StepAccount("pairs"), set[int]()
    ledger.steps[step.name] = step
    with new_folder(folder) as aside:
        writers = {split: Writer(aside, split) for split in ledger.splits}
        for text, answer in pairs(config, ledger):
            step.documents_in += 2
            if reason := why_not(text, answer, seen):
                step.dropped.setdefault(reason, Reason()).add(text)
                continue
            split = "validation" if text_hash(text.text) < config.validation * 2**64 else "train"
            for document in (text, answer):
                writers[split].write(document)
                ledger.splits[split].add(document)
                ledger.keep(document)
            step.documents_out += 2
        ledger.fingerprint = "".join(writer.close() for writer in writers.values())
        _check(config, ledger)
        write_json(aside / "ledger.json", ledger.plain())
    return ledger


def why_not(text: Document, answer: Document, seen: set[int]) -> str | None:
    """Why a pair is left out, or None; `seen` remembers the pairs that came."""
    if not text.text or not answer.text:
        return "a side is empty"
    both = text_hash(f"{text.text}\0{answer.text}")
    if both in seen:
        return "exact duplicate"
    seen.add(both)
    return None


def pairs(config: PairFiles, ledger: Ledger) -> Iterator[tuple[Document, Document]]:
    """(text, answer) of every line that has both, without white space at their ends."""
    for place, *sides in _lines(config):
        if None in sides:
            ledger.fault(place, "not a text and an answer; fix or delete the line")
            continue
        name = Path(config.files[0]).name
        text, answer = (
            Document(f"{Path(place).name}{end}", normalise(side or "")[0].strip(), name)
            for side, end in zip(sides, ("", " answer"), strict=True)
        )
        ledger.see(text)
        ledger.see(answer)
        yield text, answer


def _lines(config: PairFiles) -> Iterator[Line]:
    paths = [Path(file).expanduser() for file in config.files]
    if len(paths) == 2:
        for (place, text), (_, answer) in zip_longest(*map(_read, paths), fillvalue=("", None)):
            if text is None or answer is None:
                shorter = paths[0] if text is None else paths[1]
                raise UserError(f"{shorter}: has fewer lines than the other file; lines of both must belong together")
            yield place, text, answer
    elif kind_of(paths[0]) in (".jsonl", ".ndjson"):
        yield from ((place, *_fields(line, config.columns)) for place, line in _read(paths[0]) if line.strip())
    else:
        for place, line in _read(paths[0]):
            text, tab, rest = line.partition("\t")
            yield place, text if tab else None, rest.partition("\t")[0] if tab else None


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """(place, line) of a text file."""
    try:
        with open_packed(path) as stream:
            for number, line in enumerate(stream, 1):
                yield f"{path}:{number}", line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text; save the file as UTF-8") from None


def _fields(line: str, columns: tuple[str, str]) -> tuple[str | None, str | None]:
    try:
        row = json.loads(line)
    except ValueError:
        return None, None
    found = [row.get(column) if isinstance(row, dict) else None for column in columns]
    text, answer = (side if isinstance(side, str) else None for side in found)
    return text, answer


def _check(config: PairFiles, ledger: Ledger) -> None:
    lines = ledger.bad + ledger.documents_read // 2
    if ledger.bad > BAD_SHARE * lines:
        first = ledger.bad_places[0]
        raise UserError(f"{first['place']}: {first['why']}; {ledger.bad} of {lines} lines are no pairs")
    if not ledger.splits["train"].documents:
        raise UserError(f"{', '.join(config.files)}: no pair is left of {lines} lines; give more, or hold out less")
