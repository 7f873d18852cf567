"""Rows to conversations: Alpaca, ShareGPT, OpenAI messages, prompt and completion, hh-rlhf transcripts.

What a row is, its columns say; where they do not, `format` and `columns` in the recipe do. Every conversation comes out
as {"messages": [{"role", "content"}, ...], "id", and the other columns}. Text only: pictures and calls of tools are
refused with the row's id. Every assistant turn must say something, because it is what a model learns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hornbook.core.errors import UserError
from hornbook.data.messages import (
    OPENS,
    Message,
    answer_of,
    message,
    messages_of,
    others,
    prompt_of,
    renamed,
    shown,
    system,
    text_of,
    transcript,
)
from hornbook.data.rows import Row, kind_name
from hornbook.data.split import Source

Format = Literal["alpaca", "sharegpt", "messages", "completion", "transcript"]


def conversations(row: Row, *, format: Format | None = None, columns: Mapping[str, str] | None = None) -> Row:
    """A row as {"messages": [...], "id", and the columns that are no part of the conversation}.

    `columns` gives the names this file uses: {"prompt": "question", "completion": "answer"}.

    >>> conversations({"id": "a.jsonl:1", "instruction": "Add.", "input": "1, 2", "output": "3"})["messages"]
    [{'role': 'user', 'content': 'Add.\\n\\n1, 2'}, {'role': 'assistant', 'content': '3'}]
    """
    row = renamed(row, columns)
    messages, used = _READERS[format or _recognised(row)](row)
    if not any(message["role"] == "assistant" for message in messages):
        raise UserError(f"{row['id']}: nobody answers in this conversation; it needs a turn of the assistant")
    return {"messages": messages, "id": row["id"], **others(row, ["messages", *used])}


def prompts(row: Row, *, columns: Mapping[str, str] | None = None) -> Row:
    """A row as {"prompt": messages, "id", and every other column}, for what is answered by the model itself.

    >>> prompts({"id": "a.jsonl:1", "prompt": "1 + 1?", "answer": "2"})
    {'prompt': [{'role': 'user', 'content': '1 + 1?'}], 'id': 'a.jsonl:1', 'answer': '2'}
    """
    row = renamed(row, columns)
    if "prompt" in row:
        messages, used = prompt_of(row), ["prompt"]
    else:
        unanswered = {**row, "output": row.get("output") or "-"} if "instruction" in row else row
        messages, used = _READERS[_recognised(unanswered)](unanswered)
        while messages and messages[-1]["role"] == "assistant":
            messages.pop()
        used = [name for name in used if name not in ("output", "completion", "response")]
    if not messages or messages[-1]["role"] != "user":
        raise UserError(f"{row['id']}: the prompt does not end with the user's turn; there is nothing to answer")
    return {"prompt": messages, "id": row["id"], **others(row, ["prompt", *used])}


@dataclass(frozen=True, kw_only=True)
class Conversations(Source):
    """Conversations in the files of a recipe."""

    format: Format | None = None
    """What the rows are, where their columns do not say it."""
    columns: dict[str, str] | None = None
    """The file's own names: {prompt: question, completion: answer}."""

    def row(self, raw: Row) -> Row:
        """As `conversations`."""
        return conversations(raw, format=self.format, columns=self.columns)

    def key(self, row: Row) -> Any:
        """The same words are the same content, whatever else stands beside them."""
        return row["messages"]


@dataclass(frozen=True, kw_only=True)
class Prompts(Source):
    """Prompts in the files of a recipe, with whatever else a reward wants to see of their rows."""

    USUAL: ClassVar[bool] = True

    columns: dict[str, str] | None = None
    """The file's own names: {prompt: question}."""

    def row(self, raw: Row) -> Row:
        """As `prompts`."""
        return prompts(raw, columns=self.columns)

    def key(self, row: Row) -> Any:
        """A prompt is on one side only."""
        return row["prompt"]


def _recognised(row: Row) -> Format:
    if "messages" in row:
        return "messages"
    if "conversations" in row:
        return "sharegpt"
    if "instruction" in row and ("output" in row or "response" in row):
        return "alpaca"
    if "prompt" in row and "completion" in row:
        return "completion"
    if isinstance(row.get("text"), str) and row["text"].startswith(OPENS):
        return "transcript"
    raise UserError(
        f"{row['id']}: no conversation is known by the columns {shown(row)}; "
        "say which they are, for instance `columns: {prompt: question, completion: answer}`"
    )


def _alpaca(row: Row) -> tuple[list[Message], list[str]]:
    """Taori et al. 2023; Dolly calls the input `context` and the output `response`."""
    answer = "output" if "output" in row else "response"
    more = "input" if "input" in row else "context"
    asked = text_of(row, "instruction")
    if str(row.get(more) or "").strip():
        asked += "\n\n" + text_of(row, more)
    turns = [*system(row), *_history(row)]
    turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": text_of(row, answer)}]
    return turns, ["instruction", more, answer, "system", "history"]


def _history(row: Row) -> list[Message]:
    """Turns before the instruction, [[question, answer], ...]."""
    turns = []
    for number, pair in enumerate(row.get("history") or [], 1):
        if not (isinstance(pair, list) and len(pair) == 2):
            raise UserError(f"{row['id']}: history[{number}] is {kind_name(pair)}, not [question, answer]; fix the row")
        for role, text in zip(("user", "assistant"), pair, strict=True):
            turns.append(message({"role": role, "content": text}, row["id"], number))
    return turns


def _sharegpt(row: Row) -> tuple[list[Message], list[str]]:
    return [*system(row), *messages_of(row, "conversations")], ["conversations", "system"]


def _messages(row: Row) -> tuple[list[Message], list[str]]:
    return messages_of(row, "messages"), ["messages"]


def _completion(row: Row) -> tuple[list[Message], list[str]]:
    return [*prompt_of(row), *answer_of(row, "completion")], ["prompt", "completion", "system"]


def _transcript(row: Row) -> tuple[list[Message], list[str]]:
    return transcript(text_of(row, "text"), row["id"]), ["text"]


_READERS: dict[str, Callable[[Row], tuple[list[Message], list[str]]]] = {
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
    "messages": _messages,
    "completion": _completion,
    "transcript": _transcript,
}
