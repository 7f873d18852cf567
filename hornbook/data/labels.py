"""Rows to texts with a label, for classification: JSONL, JSON, CSV, TSV and Parquet, with or without a row of names.

Labels are texts, whatever they are in the file. Their order, which decides the numbers of the classes, is that of the
recipe or the sorted one; a label that is in no training row cannot be learnt and is refused by its name and row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.source import closest
from hornbook.data.messages import shown, text_of
from hornbook.data.rows import Row, kind_name
from hornbook.data.split import Parts, Source


def labels(row: Row, *, text: str = "text", label: str = "label") -> Row:
    """A row as {"text", "label", "id"}; `text` and `label` are the names of its columns.

    >>> labels({"id": "a.csv:2", "review": "Good.", "stars": 5}, text="review", label="stars")
    {'text': 'Good.', 'label': '5', 'id': 'a.csv:2'}
    """
    for field, column in (("text", text), ("label", label)):
        if column not in row:
            raise UserError(
                f"{row['id']}: no column {column!r}{closest(column, row)}; it has {shown(row)}; set `{field}` to its "
                "name, or where the first row is a row already give `header: [label, text]`"
            )
    given = row[label]
    if isinstance(given, bool):
        given = str(given).lower()
    if isinstance(given, float) and given.is_integer():
        given = int(given)  # what a table with a missing value made of a class number
    if not isinstance(given, str | int | float) or not str(given).strip() or given != given:
        wrong = "empty" if isinstance(given, str) else kind_name(given)
        raise UserError(f"{row['id']}: {label} is {wrong}, not the name of a class; fix the row or take it out")
    return {"text": text_of(row, text), "label": str(given).strip(), "id": row["id"]}


@dataclass(frozen=True, kw_only=True)
class Labels(Source):
    """Texts with labels in the files of a recipe."""

    text: str = "text"
    """The column with the text."""
    label: str = "label"
    """The column with the label."""

    def row(self, raw: Row) -> Row:
        """As `labels`."""
        return labels(raw, text=self.text, label=self.label)

    def key(self, row: Row) -> Any:
        """A text is on one side only."""
        return row["text"]


def names(parts: Parts, given: Sequence[str] | None = None) -> list[str]:
    """The classes in order: as `given`, or sorted; UserError for a label that is not among those trained on."""
    trained = {row["label"] for row in parts.train}
    order = list(given) if given else in_order(trained)
    if len(order) < 2 or len(set(order)) < len(order):
        raise UserError(f"labels: {', '.join(order) or 'there is none'}; classes are two or more different names")
    for row in parts.train:
        if row["label"] not in order:
            raise UserError(
                f"{row['id']}: label {row['label']!r} is not one of {', '.join(order)}{closest(row['label'], order)}; "
                "add it to the names, or fix the row"
            )
    for side, rows in (("validation", parts.validation), ("test", parts.test)):
        for row in rows:
            if row["label"] not in trained:
                raise UserError(
                    f"{row['id']}: label {row['label']!r} is in {side} and in no training row; it cannot be learnt, "
                    f"add rows of it or fix this one; trained are {', '.join(in_order(trained))}"
                )
    untrained = [name for name in order if name not in trained]
    if untrained:
        raise UserError(f"labels: no training row has {untrained[0]!r}; add rows of it or take it out of the names")
    return order


def in_order(found: Iterable[str]) -> list[str]:
    """Names in alphabetical order, numbers by their size.

    >>> in_order(["spam", "ham"]), in_order(["10", "9", "2"])
    (['ham', 'spam'], ['2', '9', '10'])
    """
    found = list(found)
    if all(name.isascii() and name.isdigit() for name in found):
        return sorted(found, key=int)
    return sorted(found)
