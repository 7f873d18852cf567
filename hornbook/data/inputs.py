"""Conversations to learn from, in which what an instruction is about stays apart from the instruction.

Alpaca's rows (Taori et al. 2023) have both, and its template gives each a heading; a template without a place for the
input says it below the instruction (text/chat.py). Other rows are as conversations.py reads them.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from hornbook.data import conversations
from hornbook.data.messages import renamed
from hornbook.data.rows import Row


@dataclass(frozen=True, kw_only=True)
class Conversations(conversations.Conversations):
    """Conversations in the files of a recipe."""

    USUAL: ClassVar[bool] = True

    def row(self, raw: Row) -> Row:
        """{"messages": [...], "id", ...}; the user's message of an Alpaca row has its "input" beside its "content"."""
        row, columns = super().row(raw), renamed(raw, self.columns)
        return {**row, "messages": [apart(message, columns) for message in row["messages"]]}

    def key(self, row: Row) -> Any:
        """The same words are the same content, however they are told apart."""
        return [{"role": each["role"], "content": together(each)} for each in row["messages"]]


def apart(message: dict[str, str], columns: Row) -> dict[str, str]:
    """A message whose content is an instruction and its input, as two.

    >>> apart({"role": "user", "content": "Add.\\n\\n1, 2"}, {"instruction": "Add.", "input": "1, 2"})
    {'role': 'user', 'content': 'Add.', 'input': '1, 2'}
    """
    instruction, more = columns.get("instruction"), columns.get("input", columns.get("context"))
    if message["role"] != "user" or message["content"] != f"{instruction}\n\n{more}":
        return message
    return {"role": "user", "content": str(instruction), "input": str(more)}


def together(message: dict[str, str]) -> str:
    """All that a message says."""
    return "\n\n".join([message["content"], *([message["input"]] if "input" in message else [])])
