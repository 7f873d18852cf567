"""Conversations in which tools are offered, called and answer, as chat templates are given them.

The shape is that of OpenAI's API and of transformers' `apply_chat_template`: `tools` are JSON schemas of functions, an
assistant's message may have `tool_calls` whose arguments are objects (OpenAI sends them as JSON text), and a message of
role `tool` is what a function gave back. Texts at any depth are made safe in the same way as all other contents.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hornbook.core.errors import UserError

ROLES = ("system", "user", "assistant", "tool")


def has_tools(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a tool was called or has answered in these messages."""
    return any(message.get("role") == "tool" or message.get("tool_calls") for message in messages)


def turns(messages: Sequence[Mapping[str, Any]], safe: Callable[[str], str]) -> list[dict[str, Any]]:
    """The messages, checked, every text of them passed through `safe`."""
    return [_turn(message, number, safe) for number, message in enumerate(messages, 1)]


def _turn(message: Mapping[str, Any], number: int, safe: Callable[[str], str]) -> dict[str, Any]:
    role, content = message.get("role"), message.get("content") or ""
    if role not in ROLES:
        raise UserError(f"message {number}: role {role!r} is not one of {', '.join(ROLES)}")
    if not isinstance(content, str):
        raise UserError(f"message {number}: the content of role {role} is {content!r}; give a text")
    found = {**message, "content": content}
    if message.get("tool_calls"):
        found["tool_calls"] = [_call(each, number) for each in message["tool_calls"]]
    made: dict[str, Any] = deep(found, safe)
    return made


def _call(call: Any, number: int) -> dict[str, Any]:
    """A call whose arguments are an object."""
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise UserError(f'message {number}: a tool call needs "function": {{"name": ..., "arguments": ...}}')
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            raise UserError(f"message {number}: the arguments of {function['name']} are not JSON; mend them") from None
    return {**call, "function": {**function, "arguments": arguments}}


def deep(value: Any, safe: Callable[[str], str]) -> Any:
    """A value of JSON with every text in it passed through `safe`, the names of fields too.

    >>> deep({"a": ["b", 1]}, str.upper)
    {'A': ['B', 1]}
    """
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, Mapping):
        return {safe(str(key)): deep(each, safe) for key, each in value.items()}
    return [deep(each, safe) for each in value] if isinstance(value, list | tuple) else value
