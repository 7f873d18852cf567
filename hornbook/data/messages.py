"""Columns to messages: what stands in one column of a row, as turns {"role", "content"}.

Knows OpenAI's words (role, content), ShareGPT's (from, value) and the transcripts of hh-rlhf (Bai et al. 2022). Text
only: a picture or the call of a tool is a UserError with the row's id, and so is a turn in which nobody says anything.
"""

import re
from collections.abc import Mapping
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.source import closest
from hornbook.data.rows import OWN_ID, Row, kind_name

Message = dict[str, str]
TURN = re.compile(r"\n\n(Human|Assistant):")
NAME_SHOWN = 40  # characters of a column's name: without a header it is a whole text
OPENS = "\n\nHuman:"
ROLES = {
    **dict.fromkeys(("user", "human", "Human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "model", "bot", "Assistant"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
TOOLS = ("function_call", "function", "tool", "tool_call", "tool_calls", "observation", "ipython")
NO_TOOLS = "calls a tool, which a conversation here cannot hold; take the row out, or write the call as text"


def renamed(row: Row, columns: Mapping[str, str] | None) -> Row:
    """The row under hornbook's names; `columns` says which of the file's own stands for which."""
    for name in (columns or {}).values():
        if name not in row:
            raise UserError(
                f"{row['id']}: no column {name!r}{closest(name, row)}; it has {shown(row)}, set `columns` by these"
            )
    taken = {*(columns or {}).values(), *(columns or {})}
    kept = {name: value for name, value in row.items() if name not in taken}
    return kept | {ours: row[name] for ours, name in (columns or {}).items()}


def shown(row: Row) -> str:
    """The names of a row's own columns, for a sentence."""
    return ", ".join(name[:NAME_SHOWN] for name in row if name not in ("id", OWN_ID)) or "none"


def others(row: Row, used: list[str]) -> Row:
    """What stands in a row beside the columns that were used."""
    return {name: value for name, value in row.items() if name not in ("id", *used)}


def system(row: Row) -> list[Message]:
    """The system message of a row that has a column for it."""
    given = row.get("system")
    return [{"role": "system", "content": text_of(row, "system")}] if given else []


def prompt_of(row: Row) -> list[Message]:
    """The column `prompt`: a text, a transcript of Human and Assistant, or messages."""
    given = row.get("prompt")
    if isinstance(given, list):
        return [*system(row), *messages_of(row, "prompt")]
    text = text_of(row, "prompt")
    if text.startswith(OPENS):
        return [*system(row), *transcript(text.removesuffix("\n\nAssistant:"), row["id"])]
    return [*system(row), {"role": "user", "content": text}]


def answer_of(row: Row, column: str) -> list[Message]:
    """A column that holds an answer: a text, a message, or messages."""
    given = row.get(column)
    if isinstance(given, dict):
        return [message(given, row["id"], 1)]
    if isinstance(given, list):
        return messages_of(row, column)
    return [{"role": "assistant", "content": text_of(row, column)}]


def text_of(row: Row, column: str) -> str:
    """A column that must say something."""
    if column not in row:
        raise UserError(f"{row['id']}: no column {column!r}; it has {shown(row)}")
    value = row[column]
    if not isinstance(value, str) or not value.strip():
        wrong = "empty" if isinstance(value, str) else f"{kind_name(value)}, not a text"
        raise UserError(f"{row['id']}: {column} is {wrong}; give a text, or take the row out")
    return value


def messages_of(row: Row, column: str) -> list[Message]:
    """A column of messages in OpenAI's words (role, content) or ShareGPT's (from, value)."""
    given = row.get(column)
    if not isinstance(given, list) or not given:
        wrong = "an empty list" if given == [] else kind_name(given)
        raise UserError(f"{row['id']}: {column} is {wrong}, not a list of messages; fix the row or take it out")
    turns = [message(each, row["id"], number) for number, each in enumerate(given, 1)]
    return [turn for turn in turns if turn["content"] or turn["role"] != "system"]


def message(given: Any, place: str, number: int) -> Message:
    """One message as {"role", "content"}; UserError names the row and the number of the message."""
    where = f"{place}: message {number}"
    if not isinstance(given, dict):
        raise UserError(f'{where} is {kind_name(given)}; write {{"role": "user", "content": "..."}}')
    said = given.get("role", given.get("from"))
    if said in TOOLS or given.get("tool_calls") or given.get("function_call"):
        raise UserError(f"{where} {NO_TOOLS}")
    if said not in ROLES:
        raise UserError(f"{where}: role {said!r} is not one of user, assistant, system; fix the row")
    role, content = ROLES[said], _content(given, where)
    if role != "system" and not content.strip():
        raise UserError(f"{where}: the {role} says nothing; give a text, or take the row out")
    return {"role": role, "content": content}


def _content(given: Mapping[str, Any], where: str) -> str:
    content = given["content"] if "content" in given else given.get("value")
    if isinstance(content, list):  # OpenAI's parts
        for part in content:
            if not isinstance(part, dict) or not isinstance(part.get("text"), str) or part.get("type") != "text":
                kind = part.get("type") if isinstance(part, dict) else kind_name(part)
                raise UserError(f"{where} holds a part of type {kind!r}; only text can be learnt from here")
        return "".join(part["text"] for part in content)
    if not isinstance(content, str):
        raise UserError(f"{where}: its content is {kind_name(content)}, not a text; fix the row or take it out")
    return content


def transcript(text: str, place: str) -> list[Message]:
    r"""The turns of an hh-rlhf transcript (Bai et al. 2022).

    >>> transcript("\n\nHuman: Hi\n\nAssistant: Hello", "a.jsonl:1")
    [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello'}]
    """
    before, *parts = TURN.split(text)
    if before.strip() or not parts:
        raise UserError(f"{place}: a transcript begins with two line ends and 'Human:', not with {text[:20]!r}; fix it")
    turns = zip(parts[::2], parts[1::2], strict=True)
    return [
        message({"role": who, "content": said.strip()}, place, number) for number, (who, said) in enumerate(turns, 1)
    ]
