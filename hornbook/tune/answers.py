"""The stage `answers`: a teacher answers prompts, and what it writes is what a student will learn.

Sequence-level distillation (Kim and Rush 2016, section 3.2): the student learns the teacher's likeliest text, which
says more to a small model than everything the teacher might have said. Theirs is found with a beam, here greedily
(temperature 0); above 0 it is drawn, as Alpaca's and Magpie's answers are. The vocabulary may be another, and the
teacher may be behind an endpoint. rows.jsonl holds conversations for `instruct`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.align.asking import JOURNAL, ask_all, write_rows
from hornbook.align.speaker import Manner, speaker
from hornbook.align.words import Words
from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.data.conversations import Prompts
from hornbook.generate.endpoint import Endpoint
from hornbook.tune.broken import Part, model_of, side
from hornbook.tune.place import Place

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Makes rows of what a teacher answers."""

    prompts: Prompts
    part: Part = "train"  # which prompts are answered; the others stay unseen
    teacher: str | Endpoint | None = None  # None: the model the stage starts from; a path, `stage:NAME`, or an endpoint
    manner: Manner = field(default_factory=lambda: Manner(temperature=0.0))
    start: str | None = None

    def files(self, place: Place) -> list[Path]:
        """The prompts."""
        return self.prompts.files(place.file)

    def make(self, place: Place) -> None:
        """Ask, write rows.jsonl and ledger.json."""
        prompts, asked = side(self.prompts, self.part, place), speaker(model_of(self.teacher, place), Words())

        def ask(some: Sequence[Row], first: int) -> list[Row]:
            told = asked.answers([row["prompt"] for row in some], self.manner.sampling(place.seed + first))
            return [{"answer": text} for text in told]

        told = ask_all(
            prompts,
            ask,
            place.run.folder / JOURNAL,
            progress=lambda done: place.note(f"{done:,}/{len(prompts):,} prompts"),
        )
        pairs = [(prompt, row["answer"]) for prompt, row in zip(prompts, told, strict=True)]
        rows = [_row(prompt, text.strip(), asked.name) for prompt, text in pairs if text and text.strip()]
        dropped = Counter("no answer" if text is None else "empty" for _, text in pairs if not (text and text.strip()))
        if not rows:
            raise UserError(
                f"{self.prompts.source}: not one of {len(prompts)} prompts has an answer; ask another teacher"
            )
        write_rows(place.run.rows, rows)
        write_json(place.run.folder / "ledger.json", {"prompts": len(prompts), "rows": len(rows), "dropped": dropped})
        place.note(f"{len(rows):,} answers to {len(prompts):,} prompts")


def _row(prompt: Row, answer: str, teacher: str) -> Row:
    messages = [*prompt["prompt"], {"role": "assistant", "content": answer}]
    return {"messages": messages, "provenance": {"method": "answers", "source": prompt["id"], "model": teacher}}
