"""Answers that are to be judged: rows of a file as they come from anywhere, and those of two models side by side.

A row has an answer and says what was asked: hornbook's own columns (`question`, `answer`, `reference`), the book's
(Raschka 2024, chapter 7: `instruction`, `input`, `output`, `model_response`), AlpacaEval's (`instruction`, `output`),
MT-Bench's (`turns`, and in a file of its own `choices`). Rows are known by `id` or `question_id`, else by their line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.data import rows
from hornbook.data.rows import OWN_ID, Row

ANSWERS = ("answers", "answer", "model_response", "response", "prediction")
QUESTIONS = ("turns", "question", "prompt", "instruction")
REFERENCES = ("references", "reference")
GOLD = "output"  # the answer where a row has no other, else the reference
SUBJECTS = ("category", "dataset", "subject")  # the first there is divides the scores


@dataclass(frozen=True)
class Turn:
    """A question with its answer."""

    question: str
    answer: str
    reference: str = ""
    """A right answer; empty where there is none."""


@dataclass(frozen=True)
class Answered:
    """One row."""

    id: str
    place: str
    """file.jsonl:17"""
    turns: tuple[Turn, ...]
    subject: str = ""
    row: Row = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return not any(turn.answer.strip() for turn in self.turns)

    @property
    def asked(self) -> list[str]:
        """The questions."""
        return [turn.question for turn in self.turns]

    def columns(self) -> dict[str, Any]:
        """What a judge's prompt may name: `turns`; of a single turn `question`, `answer` and `reference` too."""
        turns = [{"question": t.question, "answer": t.answer, "reference": t.reference} for t in self.turns]
        return {"id": self.place, "turns": turns} | (turns[0] if len(turns) == 1 else {})


def read(
    path: Path, *, questions: Path | None = None, references: Path | None = None, limit: int | None = None
) -> list[Answered]:
    """The answers of a file; what is missing in a row comes from the rows of the same id in the other files."""
    more = [_by_id(other) for other in (questions, references) if other is not None]
    asked, right = (more[0] if questions else {}), (more[-1] if references else {})
    found: dict[str, Answered] = {}
    for row in rows.read(path):
        if limit is not None and len(found) == limit:
            break
        one = _answered(row, asked, right)
        if one.id in found:
            raise UserError(f"{one.place}: the id {one.id} stands in {found[one.id].place} too; give every row its own")
        found[one.id] = one
    if all(one.empty for one in found.values()):
        raise UserError(f"{path}: every answer is empty, so there is nothing to judge; see how the file was made")
    return list(found.values())


def paired(ours: Sequence[Answered], theirs: Sequence[Answered], names: tuple[str, str]) -> list[tuple[Answered, ...]]:
    """The answers of two models to the same questions; UserError where the questions differ."""
    known = {one.id: one for one in theirs}
    alone = [one.id for one in ours if one.id not in known] + sorted(known.keys() - {one.id for one in ours})
    if alone:
        raise UserError(
            f"{names[0]}, {names[1]}: {len(alone)} ids stand in only one of the two (the first: {alone[0]}); "
            "let both models answer the same questions"
        )
    for one in ours:
        if one.asked != known[one.id].asked:
            raise UserError(f"{one.place}: asks something else than {known[one.id].place}, though both are {one.id}")
    return [(one, known[one.id]) for one in ours]


def _by_id(path: Path) -> dict[str, Row]:
    return {_id(row): row for row in rows.read(path)}


def _id(row: Row) -> str:
    """Its own name, else the number of its line."""
    own = next((row[name] for name in (OWN_ID, "question_id") if row.get(name) is not None), None)
    return str(row["id"]).rpartition(":")[2] if own is None else str(own)


def _answered(row: Row, asked: Mapping[str, Row], right: Mapping[str, Row]) -> Answered:
    place, own = str(row["id"]), _id(row)
    key, answers = _answers(row)
    if not answers:
        raise UserError(f"{place}: has no answer among its columns ({_shown(row)}); name the column `answer`")
    questions = _questions(row) or _questions(asked.get(own, {}))
    if not questions:
        raise UserError(
            f"{place}: does not say what was asked; add `question` or `turns`, or name a file of questions that has "
            f"the id {own} (--questions)"
        )
    if len(questions) != len(answers):
        raise UserError(f"{place}: {len(questions)} questions and {len(answers)} answers; give an answer to each")
    references = _references(row, key) or _references(asked.get(own, {}), "") or _texts_of(right.get(own, {}))
    references += [""] * (len(questions) - len(references))
    turns = tuple(Turn(*each) for each in zip(questions, answers, references, strict=False))
    subject = next((str(each[name]) for each in (row, asked.get(own, {})) for name in SUBJECTS if name in each), "")
    return Answered(own, place, turns, subject, row)


def _answers(row: Row) -> tuple[str, list[str]]:
    """The column and what stands in it."""
    for name in ANSWERS:
        if name in row:
            return name, _texts(row, name)
    if "choices" in row:
        return "choices", _texts_of(row)
    return (GOLD, _texts(row, GOLD)) if GOLD in row else ("", [])


def _questions(row: Row) -> list[str]:
    name = next((each for each in QUESTIONS if each in row), None)
    if name is None:
        return []
    found = _texts(row, name)
    return [f"{found[0]}\n\n{row['input']}"] if name == "instruction" and row.get("input") else found


def _references(row: Row, answer: str) -> list[str]:
    name = next((each for each in REFERENCES if row.get(each)), None)
    if name is None and answer not in ("", GOLD, "choices") and row.get(GOLD):
        name = GOLD
    return [] if name is None else _texts(row, name)


def _texts_of(row: Row) -> list[str]:
    """The turns of a file in MT-Bench's form; of any other row its answer."""
    try:
        turns = row["choices"][0]["turns"]
    except (KeyError, IndexError, TypeError):
        return _answers(row)[1] if row and "choices" not in row else []
    return _texts({**row, "turns": turns}, "turns")


def _texts(row: Row, name: str) -> list[str]:
    found = row[name] if isinstance(row[name], list) else [row[name]]
    for each in found:
        if not isinstance(each, str):
            raise UserError(f"{row['id']}: `{name}` holds {rows.kind_name(each)} where a text belongs; mend the row")
    return found


def _shown(row: Row) -> str:
    return ", ".join(name for name in row if name != "id") or "none"
