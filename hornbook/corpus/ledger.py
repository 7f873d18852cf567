"""The account of a corpus: what came in, what was dropped and why, what could not be read, what was written.

Its size does not grow with the corpus: counts are exact, examples and places are the first few.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from hornbook.core.errors import UserError
from hornbook.corpus.document import Document, Result, size
from hornbook.corpus.profile import Profile, count

SAMPLES = 5  # per reason; enough to see whether a rule does what it should
SAMPLE_CHARACTERS = 200
MEASURES = ("documents", "bytes", "characters")
PROFILES = ("read", "dropped", "kept")
PLACES = 1_000  # bad places listed one by one; all are counted


@dataclass
class Total:
    """Documents, characters and bytes (UTF-8)."""

    documents: int = 0
    characters: int = 0
    bytes: int = 0

    def add(self, document: Document) -> None:
        """Count one document."""
        self.documents += 1
        self.characters += len(document.text)
        self.bytes += size(document.text)

    def include(self, other: "Total") -> None:
        """Count what another has counted."""
        self.documents += other.documents
        self.characters += other.characters
        self.bytes += other.bytes


@dataclass
class Reason:
    """How often a reason was given, and the first few documents it was given for."""

    documents: int = 0
    bytes: int = 0
    samples: list[dict[str, str]] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)

    def add(self, document: Document) -> None:
        """Count one document and keep it as an example while there are few."""
        self.documents += 1
        self.bytes += size(document.text)
        count(self.sources, document.source)
        if len(self.samples) < SAMPLES:
            self.samples.append({"id": document.id, "text": document.text[:SAMPLE_CHARACTERS]})

    def include(self, other: "Reason") -> None:
        """Count what another has counted; the first examples stay."""
        self.documents += other.documents
        self.bytes += other.bytes
        self.samples += other.samples[: SAMPLES - len(self.samples)]
        for source, documents in other.sources.items():
            count(self.sources, source, documents)


@dataclass
class StepAccount:
    """One step: what went in, what came out, and a reason for the difference."""

    name: str
    documents_in: int = 0
    documents_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    characters_in: int = 0
    characters_out: int = 0
    dropped: dict[str, Reason] = field(default_factory=dict)
    changed: dict[str, Reason] = field(default_factory=dict)

    def include(self, other: "StepAccount") -> None:
        """Count what another has counted of the same step."""
        for measure in MEASURES:
            for name in (f"{measure}_in", f"{measure}_out"):
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, theirs in ((self.dropped, other.dropped), (self.changed, other.changed)):
            for name, reason in theirs.items():
                mine.setdefault(name, Reason()).include(reason)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "StepAccount":
        """The account of plain data."""
        reasons = {
            key: {name: Reason(**reason) for name, reason in plain[key].items()} for key in ("dropped", "changed")
        }
        return cls(**{**plain, **reasons})


@dataclass
class Ledger:
    """What `ledger.json` holds."""

    read: dict[str, Total] = field(default_factory=dict)
    """Per source: what was read."""
    kept: dict[str, Total] = field(default_factory=dict)
    """Per source: what came through all steps."""
    steps: dict[str, StepAccount] = field(default_factory=dict)
    splits: dict[str, Total] = field(default_factory=lambda: {"train": Total(), "validation": Total()})
    """What was written; a document of which only the end is held out counts in both."""
    split_rule: str = ""
    mixture: dict[str, dict[str, float]] = field(default_factory=dict)
    """Per source of a mixture: passes over it, its planned share of the bytes, its share of those written."""
    bad: int = 0
    """Files and lines that could not be read."""
    bad_places: list[dict[str, str]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    """Files that are no text (reason -> count): pictures, archives."""
    notes: dict[str, str] = field(default_factory=dict)
    """Files read in another way than the plain one (file -> how), the first thousand."""
    fingerprint: str = ""
    """Hash of every text written, in order."""
    profiles: dict[str, Profile] = field(default_factory=lambda: {name: Profile() for name in PROFILES})
    """What documents were like when they were read, when they were dropped, and when they were kept."""

    @property
    def documents_read(self) -> int:
        """Documents of all sources."""
        return sum(total.documents for total in self.read.values())

    @property
    def documents_dropped(self) -> int:
        """Documents that a step left out."""
        return sum(reason.documents for step in self.steps.values() for reason in step.dropped.values())

    def see(self, document: Document) -> None:
        """Count a document that was read."""
        self.read.setdefault(document.source, Total()).add(document)
        self.profiles["read"].add(document)

    def fault(self, place: str, why: str) -> None:
        """Count a file or line that could not be read."""
        self.bad += 1
        if len(self.bad_places) < PLACES:
            self.bad_places.append({"place": place, "why": why})

    def check_bad(self, share: float) -> None:
        """Raise UserError where more than a share of the files and lines could not be read."""
        if self.bad > share * (self.bad + self.documents_read):
            first = self.bad_places[0]
            more = f" (and {self.bad - 1} more bad files or lines)" if self.bad > 1 else ""
            raise UserError(
                f"{first['place']}: {first['why']}{more}; {self.bad} bad of {self.bad + self.documents_read} "
                f"is over corpus.bad_share={share}"
            )

    def skip(self, reason: str) -> None:
        """Count a file that was left out because it holds no text."""
        count(self.skipped, reason)

    def note(self, place: str, how: str) -> None:
        """Remember that a file was read in a special way."""
        if len(self.notes) < PLACES:
            self.notes[place] = how

    def account(self, step: str, documents: list[Document], result: Result) -> list[Document]:
        """Write down what a step did to a batch; the documents it kept."""
        account = self.steps.setdefault(step, StepAccount(step))
        account.documents_in += len(documents)
        account.documents_out += len(result.kept)
        account.bytes_in += sum(size(document.text) for document in documents)
        account.bytes_out += sum(size(document.text) for document in result.kept)
        account.characters_in += sum(len(document.text) for document in documents)
        account.characters_out += sum(len(document.text) for document in result.kept)
        for reasons, pairs in ((account.dropped, result.dropped), (account.changed, result.changed)):
            for document, reason in pairs:
                reasons.setdefault(reason, Reason()).add(document)
        for document, _ in result.dropped:
            self.profiles["dropped"].add(document)
        return result.kept

    def add(self, other: "Ledger") -> None:
        """Take in the account of what comes next in the same corpus."""
        for mine, theirs in ((self.read, other.read), (self.kept, other.kept)):
            for name, total in theirs.items():
                mine.setdefault(name, Total()).include(total)
        for name, step in other.steps.items():
            self.steps.setdefault(name, StepAccount(name)).include(step)
        for name, profile in other.profiles.items():
            self.profiles[name].include(profile)
        self.bad += other.bad
        self.bad_places += other.bad_places[: PLACES - len(self.bad_places)]
        for reason, files in other.skipped.items():
            count(self.skipped, reason, files)
        for place, how in other.notes.items():
            self.note(place, how)

    def keep(self, document: Document) -> None:
        """Count a document that came through all steps."""
        self.kept.setdefault(document.source, Total()).add(document)
        self.profiles["kept"].add(document)

    def plain(self) -> dict[str, Any]:
        """The ledger as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "Ledger":
        """The ledger of plain data."""
        totals = {
            key: {name: Total(**total) for name, total in plain[key].items()} for key in ("read", "kept", "splits")
        }
        steps = {name: StepAccount.of(step) for name, step in plain["steps"].items()}
        profiles = {name: Profile(**profile) for name, profile in plain["profiles"].items()}
        return cls(**{**plain, **totals, "steps": steps, "profiles": profiles})


class BadFile(Exception):
    """A file, or the rest of it, cannot be read: counted and listed, or an error where it is the only file.

    Raised by the readers, caught in `read.documents` and nowhere else.
    """

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place}: {why}")
        self.place = place
        self.why = why


class NoText(BadFile):
    """A file that is whole but holds no text, such as a picture: left out, not a fault."""
