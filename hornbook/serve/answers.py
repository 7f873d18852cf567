"""From the engine's pieces to OpenAI's objects: whole answers and the chunks of a stream."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hornbook.generate.serving import Piece, Ticket, TokenLogProbability
from hornbook.serve.shelf import Served
from hornbook.serve.tool_calls import ToolReader

REASONS = {"end": "stop", "stop": "stop", "length": "length", "cancelled": "stop"}
LEAST = -9999.0  # what OpenAI writes for minus infinity, which JSON has no word for


@dataclass(frozen=True)
class Head:
    """What every object of one answer begins with."""

    id: str
    kind: str
    model: str
    created: int

    @classmethod
    def new(cls, prefix: str, kind: str, model: str) -> "Head":
        """With a name that nothing else has."""
        return cls(f"{prefix}-{secrets.token_hex(14)}", kind, model, int(time.time()))

    def whole(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> dict[str, Any]:
        """An object; None for the usage: it is left out."""
        fields = {"id": self.id, "object": self.kind, "created": self.created, "model": self.model, "choices": choices}
        return fields | ({} if usage is None else {"usage": usage})


@dataclass
class Choice:
    """One of the answers, while it comes."""

    index: int
    served: Served
    chat: bool
    tools: ToolReader | None = None  # None: no tools were offered, so `<tool_call>` is text
    text: str = ""
    logs: list[TokenLogProbability] | None = None  # None: not asked for
    reason: str | None = None
    offset: int = 0  # characters before the next token, for completions
    likely: list[float] = field(default_factory=list)  # log-probabilities of what was written, where they are known

    def take(self, piece: Piece) -> dict[str, Any]:
        """One more piece, as the choice of a chunk."""
        text = piece.text
        calls: list[dict[str, Any]] = []
        if self.tools is not None:
            text, calls = self.tools.feed(piece.text)
            if piece.reason is not None:
                rest, more = self.tools.flush()
                text, calls = text + rest, calls + more
        self.text += text
        self.likely += [each.log_probability for each in piece.log_probabilities]
        if self.logs is not None:
            self.logs += piece.log_probabilities
        if piece.reason is not None:
            called = self.tools is not None and self.tools.calls and piece.reason != "length"
            self.reason = "tool_calls" if called else REASONS[piece.reason]
        logs = self._logs(piece.log_probabilities) if self.logs is not None else None
        if not self.chat:
            return {"index": self.index, "text": text, "logprobs": logs, "finish_reason": self.reason}
        delta = ({"content": text} if text else {}) | ({"tool_calls": calls} if calls else {})
        return {"index": self.index, "delta": delta, "logprobs": logs, "finish_reason": self.reason}

    @property
    def mean(self) -> float:
        """Log-probability a token: by this the best of several answers are chosen."""
        return sum(self.likely) / len(self.likely) if self.likely else 0.0

    def opening(self, echo: str, ticket: Ticket) -> dict[str, Any] | None:
        """What the first chunk says before anything is written; of a prompt that is told, once it is read."""
        if self.chat:
            delta = {"role": "assistant", "content": ""}
            return {"index": self.index, "delta": delta, "logprobs": None, "finish_reason": None}
        if not echo:
            return None
        logs = self._prompt(echo, ticket) if ticket.request.prompt_too else None
        return {"index": self.index, "text": echo, "logprobs": logs, "finish_reason": None}

    def whole(self, echo: str, ticket: Ticket) -> dict[str, Any]:
        """The finished answer."""
        logs, self.offset = None, 0
        before = self._prompt(echo, ticket) if ticket.request.prompt_too else {}
        if self.logs is not None:
            logs = self._logs(self.logs)
            logs |= {name: column + logs[name] for name, column in before.items()}
        if not self.chat:
            return {"index": self.index, "text": echo + self.text, "logprobs": logs, "finish_reason": self.reason}
        calls = [{key: value for key, value in call.items() if key != "index"} for call in self._calls]
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.text or (None if calls else ""),
            "refusal": None,
        }
        if calls:
            message["tool_calls"] = calls
        return {"index": self.index, "message": message, "logprobs": logs, "finish_reason": self.reason}

    @property
    def _calls(self) -> list[dict[str, Any]]:
        return self.tools.calls if self.tools is not None else []

    def _prompt(self, echo: str, ticket: Ticket) -> dict[str, Any]:
        """The columns of the prompt; nothing comes before its first token, so nobody can say how likely that was."""
        first, scored = ticket.request.prompt[0], ticket.prompt
        spelled = sum(len(_text(self.served.spell(token))) for token in ticket.request.prompt)
        self.offset = len(echo) - spelled  # below 0 in front of the text, as <bos>
        columns = self._columns([TokenLogProbability(first, 0.0), *scored])
        for name in ("token_logprobs", "top_logprobs"):
            columns[name][0] = None
        self.offset = len(echo)
        return columns

    def _logs(self, logs: Sequence[TokenLogProbability]) -> dict[str, Any]:
        if self.chat:
            return {"content": [entry(self.served, log) for log in logs], "refusal": None}
        return self._columns(logs)

    def _columns(self, logs: Sequence[TokenLogProbability]) -> dict[str, Any]:
        """The older form of completions: a column for each thing that is told."""
        entries, offsets = [entry(self.served, log) for log in logs], []
        for each in entries:
            offsets.append(max(self.offset, 0))
            self.offset += len(_text(bytes(each["bytes"])))
        return {
            "tokens": [each["token"] for each in entries],
            "token_logprobs": [each["logprob"] for each in entries],
            "top_logprobs": [{top["token"]: top["logprob"] for top in each["top_logprobs"]} for each in entries],
            "text_offset": offsets,
            "bytes": [each["bytes"] for each in entries],  # ours: a token may be a part of a character
        }


def entry(served: Served, log: TokenLogProbability) -> dict[str, Any]:
    """A token, how likely it was, and what else could have stood there."""
    top = [_token(served, token, value) for token, value in log.top]
    return {**_token(served, log.id, log.log_probability), "top_logprobs": top}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _token(served: Served, token: int, log_probability: float) -> dict[str, Any]:
    data = served.spell(token)
    try:
        text = data.decode()
    except UnicodeDecodeError:  # a part of a character, as OpenAI writes it: each has a spelling of its own
        text = "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)
    return {"token": text, "logprob": max(round(log_probability, 6), LEAST), "bytes": list(data)}


def usage(tickets: Sequence[Ticket], prompt_tokens: int) -> dict[str, Any]:
    """What the answers took; a prompt that is answered several times counts once."""
    new = sum(ticket.usage.new for ticket in tickets)
    cached = min(prompt_tokens, max((ticket.usage.cached for ticket in tickets), default=0))
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": new,
        "total_tokens": prompt_tokens + new,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
