"""Calls of tools in what a model writes, in the forms of tool_forms.py, as they come.

Text before a call is shown at once; what may be the beginning of one is held back. What turns out to be no call stays
text, to the letter.
"""

import json
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from hornbook.serve.tool_forms import ARGUMENTS, CLOSE, MARK, OPEN, PYTHON, Form

EOM = "<|eom_id|>"  # with which Llama ends a message that is a call
BESIDE = re.compile(rf"(\s|;|{re.escape(EOM)}|{re.escape(PYTHON)})*")
DECODER = json.JSONDecoder()


@dataclass
class ToolReader:
    """Feed pieces of text; get back what may be shown, and the calls that are whole."""

    names: Collection[str] = ()  # of the functions that were offered
    held: str = field(default="", repr=False)
    calls: list[dict[str, Any]] = field(default_factory=list)
    after: bool = field(default=False, repr=False)  # a call, and nothing but spaces behind it

    def feed(self, piece: str) -> tuple[str, list[dict[str, Any]]]:
        """The text that is certainly no call, and the calls that one more piece completes."""
        self.held += piece
        return self._read(last=False)

    def flush(self) -> tuple[str, list[dict[str, Any]]]:
        """What is left once nothing more comes."""
        return self._read(last=True)

    def _read(self, *, last: bool) -> tuple[str, list[dict[str, Any]]]:
        before = len(self.calls)
        shown = self._take(last=last)
        if last:
            shown, self.held = shown + self.held, ""
        return shown, self.calls[before:]

    def _take(self, *, last: bool) -> str:
        """Take out of `held` what is decided: calls, and text, which is given back; the last time all is."""
        raise NotImplementedError

    def _add(self, *found: dict[str, Any]) -> None:
        for call in found:
            self.calls.append(call | {"index": len(self.calls)})
            self.after = True

    def _before(self, mark: str) -> str:
        """What stands before a mark, taken out of `held`; before its beginning, where it is not there whole."""
        if self.after:
            self.held = self.held.lstrip()
        place = self.held.find(mark)
        if place < 0:
            place = len(self.held) - _beginning(self.held, mark)
        shown, self.held = self.held[:place], self.held[place:]
        self.after = self.after and not shown
        return shown


class Tagged(ToolReader):
    """JSON between `<tool_call>` and `</tool_call>` (Hermes, Nous Research 2024).

    >>> reader = Tagged()
    >>> pieces = ("Let me see. <to", 'ol_call>{"name": "f", "argum', 'ents": {}}</tool_call>')
    >>> [reader.feed(piece)[0] for piece in pieces]
    ['Let me see. ', '', '']
    >>> reader.calls[0]["function"]
    {'name': 'f', 'arguments': '{}'}
    """

    def _take(self, *, last: bool) -> str:
        shown = self._before(OPEN)
        while self.held.startswith(OPEN):
            end = self.held.find(CLOSE)
            if end < 0 and not last:
                break
            whole, rest = self.held, ""
            if end >= 0:  # else its end mark may have stopped the writing
                whole, rest = self.held[: end + len(CLOSE)], self.held[end + len(CLOSE) :]
            call = read(whole.removeprefix(OPEN).removesuffix(CLOSE))
            self.held = rest
            if call is None:
                shown += whole
            else:
                self._add(call)
            shown += self._before(OPEN)
        return shown


class Marked(ToolReader):
    """`[TOOL_CALLS]` and a list of calls, or a name, `[ARGS]` and its arguments (Mistral)."""

    def _take(self, *, last: bool) -> str:  # noqa: ARG002 -- what is not whole stays text
        shown = self._before(MARK)
        while self.held.startswith(MARK):
            rest = self.held.removeprefix(MARK)
            if rest.lstrip().startswith("["):
                values, end = _decoded(rest)
                found = [call_of(each) for each in values] if isinstance(values, list) else [None]
            else:
                name, _, arguments = rest.partition(ARGUMENTS)
                value, end = _decoded(arguments)
                found = [call_of({"name": name.strip(), "arguments": value}) if isinstance(value, dict) else None]
                end += len(rest) - len(arguments)
            calls = [each for each in found if each]
            if len(calls) < len(found) or not found:
                break  # not yet whole, or nothing that is known
            self._add(*calls)
            self.held = rest[end:]
            shown += self._before(MARK)
        return shown


class Whole(ToolReader):
    """The answer itself is a call of a function that was offered, or several with `;` between them (Llama 3.1)."""

    def _take(self, *, last: bool) -> str:
        while self.names:
            rest = BESIDE.sub("", self.held, count=1)
            if last and self.calls:
                self.held = rest
            if not rest or (not last and rest.startswith("<") and any(mark.startswith(rest) for mark in (EOM, PYTHON))):
                break
            value, end = _decoded(rest)
            call = call_of(value)
            if call is not None and call["function"]["name"] in self.names:
                self._add(call)
                self.held = rest[end:]
            elif value is not None or not rest.startswith("{"):
                self.names = ()  # it talks; from here on all is text
            else:
                break
        if self.names:
            return ""
        left, self.held = self.held, ""
        return left


def reader(form: Form | None, names: Collection[str]) -> ToolReader | None:
    """What reads calls of a form; None where what is written stays text."""
    match form:
        case "hermes":
            return Tagged(names)
        case "mistral" | "mistral11":
            return Marked(names)
        case "llama" | "bare":
            return Whole(names)
    return None


def read(text: str) -> dict[str, Any] | None:
    """A call in OpenAI's form, or None."""
    try:
        return call_of(json.loads(text))
    except ValueError:
        return None


def call_of(call: Any) -> dict[str, Any] | None:
    """The same of JSON that has been read."""
    if isinstance(call, dict) and call.get("type") == "function" and isinstance(call.get("function"), dict):
        call = call["function"]
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    arguments = call.get("arguments", call.get("parameters", {}))
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    function = {"name": call["name"], "arguments": written}
    return {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}


def _decoded(text: str) -> tuple[Any, int]:
    """The JSON that a text begins with and where it ends; None where there is none, or not yet all of it."""
    begin = len(text) - len(text.lstrip())
    try:
        return DECODER.raw_decode(text, begin)
    except ValueError:
        return None, begin


def _beginning(text: str, mark: str) -> int:
    """Length of the longest end of a text with which a mark begins."""
    return next((n for n in range(min(len(text), len(mark) - 1), 0, -1) if mark.startswith(text[-n:])), 0)
