"""Calls of tools in what a model writes, where its chat template has a form that is known.

Hermes' form (Nous Research 2024; Qwen 2.5 and 3, SmolLM3 and many others write it): JSON between `<tool_call>` and
`</tool_call>`. Text before and between is shown at once; what may be the beginning of a call is held back. A call that
is no JSON stays text. Leaves out forms that need a grammar of their own: Llama's Python calls, Mistral's list.
"""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

OPEN, CLOSE = "<tool_call>", "</tool_call>"


@dataclass
class ToolReader:
    """Feed pieces of text; get back what may be shown, and the calls that are whole.

    >>> reader = ToolReader()
    >>> pieces = ("Let me see. <to", 'ol_call>{"name": "f", "argum', 'ents": {}}</tool_call>')
    >>> [reader.feed(piece)[0] for piece in pieces]
    ['Let me see. ', '', '']
    >>> reader.calls[0]["function"]
    {'name': 'f', 'arguments': '{}'}
    """

    held: str = field(default="", repr=False)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def feed(self, piece: str) -> tuple[str, list[dict[str, Any]]]:
        """The text that is certainly no call, and the calls that one more piece completes."""
        self.held += piece
        shown, before = "", len(self.calls)
        while True:
            begin = self.held.find(OPEN)
            if begin < 0:
                kept = _beginning(self.held)
                shown, self.held = shown + self.held[: len(self.held) - kept], self.held[len(self.held) - kept :]
                break
            shown, self.held = shown + self.held[:begin], self.held[begin:]
            end = self.held.find(CLOSE)
            if end < 0:
                break
            whole, self.held = self.held[: end + len(CLOSE)], self.held[end + len(CLOSE) :]
            call = read(whole[len(OPEN) : end])
            if call is None:
                shown += whole
            else:
                self.calls.append(call | {"index": len(self.calls)})
        return shown, self.calls[before:]

    def flush(self) -> tuple[str, list[dict[str, Any]]]:
        """What is left once nothing more comes: a call whose end mark stopped the writing, or text."""
        rest, self.held = self.held, ""
        call = read(rest[len(OPEN) :]) if rest.startswith(OPEN) else None
        if call is None:
            return rest, []
        self.calls.append(call | {"index": len(self.calls)})
        return "", self.calls[-1:]


def read(text: str) -> dict[str, Any] | None:
    """A call in OpenAI's form, or None."""
    try:
        call = json.loads(text)
    except ValueError:
        return None
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    arguments = call.get("arguments", call.get("parameters", {}))
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    function = {"name": call["name"], "arguments": written}
    return {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}


def _beginning(text: str) -> int:
    """Length of the longest end of a text with which `<tool_call>` begins."""
    return next((n for n in range(min(len(text), len(OPEN) - 1), 0, -1) if OPEN.startswith(text[-n:])), 0)
