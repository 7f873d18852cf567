"""The stage `knowledge`: which questions the model can answer before it is tuned on them, and rows of those one wants.

Gekhman et al. 2024: a model learns from what it maybe knows, and from what it does not know it learns to make things
up. rows.jsonl holds the questions of the kinds in `keep` as conversations for `instruct`, the ledger counts all kinds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.align.asking import JOURNAL, ask_all, write_rows
from hornbook.align.knowledge import KINDS, Exam, Examiner, Fact, Facts, Kind, Known, report
from hornbook.core.errors import RecipeError
from hornbook.core.files import write_json
from hornbook.generate.language_model import LanguageModel
from hornbook.tune.place import Place

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Sorts questions by what the model it starts from knows of them."""

    questions: Facts
    exam: Exam = field(default_factory=Exam)
    keep: tuple[Kind, ...] = KINDS
    """The kinds that are written to rows.jsonl."""
    start: str | None = None

    def __post_init__(self) -> None:
        if not self.keep:
            raise RecipeError(f"keep: none, so no row would be written; name some of {', '.join(KINDS)}")

    def files(self, place: Place) -> list[Path]:
        """Its questions."""
        return self.questions.files(place.file)

    def make(self, place: Place) -> None:
        """Ask, write rows.jsonl and ledger.json."""
        skipped: list[str] = []
        rows = self.questions.read(place.file(self.questions.source), skipped)
        facts = [Fact(row["id"], row["question"], row["answers"], row["relation"]) for row in rows]
        examiner = Examiner(LanguageModel.load(place.base), facts, self.exam, seed=place.seed)

        def ask(some: Sequence[Fact], first: int) -> list[Row]:
            return [vars(known) for known in examiner.examine(some, first)]

        told = ask_all(
            facts,
            ask,
            place.run.folder / JOURNAL,
            progress=lambda done: place.note(f"{done:,}/{len(facts):,} questions"),
        )
        known = [Known(**row) for row in told]
        kept = [_row(fact, each) for fact, each in zip(facts, known, strict=True) if each.kind in self.keep]
        write_rows(place.run.rows, kept)
        counts = Counter(each.kind for each in known)
        ledger = {
            "questions": len(facts),
            "rows": len(kept),
            "skipped": skipped,
            "kinds": {k: counts[k] for k in KINDS},
        }
        write_json(place.run.folder / "ledger.json", ledger)
        place.note(report(known))


def _row(fact: Fact, known: Known) -> Row:
    said = [{"role": "user", "content": fact.question}, {"role": "assistant", "content": fact.answers[0]}]
    shares = {"greedy": known.greedy, "sampled": known.sampled}
    return {"messages": said, "knowledge": known.kind, **shares, "source": fact.id}
