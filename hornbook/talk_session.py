"""A conversation as it is kept: its messages, how answers are drawn, and the commands that change both."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.files import write_text
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.sample import Sampling
from hornbook.generate.stream import Options

COMMANDS = {
    "/help": "says this",
    "/new": "forgets the conversation",
    "/undo": "takes the last question and its answer back",
    "/again": "answers the last question anew",
    "/system TEXT": "says how the model should be; without a text no more",
    "/set NAME VALUE": "changes how answers are drawn: /set temperature 0.7; off turns one off",
    "/settings": "says how they are drawn",
    "/stats": "says how fast the last answer was",
    "/save FILE": "keeps the conversation, a JSON line a message",
    "/load FILE": "goes on with one that was kept",
    "/quit": "leaves; so does Ctrl-D",
}
NUMBERS: dict[str, Callable[[str], Any]] = {
    "max_new_tokens": int, "temperature": float, "top_k": int, "top_p": float, "min_p": float, "typical_p": float,
    "repetition_penalty": float, "presence_penalty": float, "frequency_penalty": float, "no_repeat_ngram": int,
    "seed": int,
}  # fmt: skip
KEPT_FREE = 4  # at least 1 / KEPT_FREE of the model's window is left for the answer


class Leave(Exception):
    """The user leaves."""


@dataclass
class Session:
    """A model and what was said so far."""

    lm: LanguageModel
    settings: Options
    messages: list[dict[str, str]] = field(default_factory=list)
    stats: str = "nothing was answered yet"
    answered: int = 0  # answers so far: each draws with a seed of its own

    def command(self, line: str) -> str | None:
        """What a command has to say; None where the last question is to be answered. UserError says what is wrong."""
        name, _, rest = line.strip().partition(" ")
        ways: dict[str, Callable[[str], str | None]] = {
            "/help": lambda _: help_text(), "/new": self._new, "/undo": self._undo, "/again": self._again,
            "/system": self._system, "/set": self._set, "/settings": lambda _: self._settings(),
            "/stats": lambda _: self.stats, "/save": self._save, "/load": self._load,
        }  # fmt: skip
        if name in ("/quit", "/exit"):
            raise Leave
        if name not in ways:
            raise UserError(f"{name}: is no command; /help names them")
        return ways[name](rest.strip())

    def say(self, text: str) -> None:
        """The user's next message."""
        self.messages.append({"role": "user", "content": text})

    def answer(self) -> Iterator[str]:
        """The pieces of the answer to the last message; the text that came is kept, also where it was broken off."""
        options: Options = {**self.settings}
        if (seed := self.settings.get("seed")) is not None:
            options["seed"] = seed + self.answered
        self.answered += 1
        asked = self.messages[-1]["content"]
        pieces = self.lm.stream_chat(self.messages, **options) if self.lm.chats else self.lm.stream(asked, **options)
        said: list[str] = []
        began, first = time.perf_counter(), 0.0
        try:
            for piece in pieces:
                first = first or time.perf_counter() - began
                said.append(piece)
                yield piece
        finally:
            self.messages.append({"role": "assistant", "content": "".join(said) or " "})
            self.stats = _speed(self.lm, "".join(said), time.perf_counter() - began, first)

    def make_room(self) -> int:
        """Leave out the oldest questions and answers where they no longer fit the model's window; how many messages."""
        context = self.lm.limits(0).context
        if not self.lm.chats or context is None or self.lm.renderer is None:
            return 0
        most = context - min(self.settings.get("max_new_tokens", 64), context // KEPT_FREE)
        start, gone = int(self.messages[0]["role"] == "system"), 0
        while len(self.messages) > start + 2 and len(self.lm.renderer.prompt(self.messages)) > most:
            del self.messages[start : start + 2]
            gone += 2
        return gone

    def _new(self, _: str) -> str:
        self.messages = []
        return "the conversation is forgotten"

    def _undo(self, _: str) -> str:
        last = self._last_question()
        taken = self.messages[last]["content"]
        del self.messages[last:]
        return f"taken back: {taken}"

    def _again(self, _: str) -> None:
        del self.messages[self._last_question() + 1 :]

    def _last_question(self) -> int:
        places = [place for place, message in enumerate(self.messages) if message["role"] == "user"]
        if not places:
            raise UserError("nothing was asked yet")
        return places[-1]

    def _system(self, text: str) -> str:
        if not self.lm.chats:
            raise UserError("/system: the model has no chat template; write it into your text")
        others = [message for message in self.messages if message["role"] != "system"]
        self.messages = [{"role": "system", "content": text}, *others] if text else others
        return "from now on" if text else "no more"

    def _set(self, rest: str) -> str:
        name, _, value = rest.partition(" ")
        if name not in NUMBERS:
            raise UserError(f"/set {name}: is no setting; take one of {', '.join(NUMBERS)}")
        changed: dict[str, Any] = {key: each for key, each in self.settings.items() if key != name}
        if value != "off":
            try:
                changed[name] = NUMBERS[name](value)
            except ValueError:
                raise UserError(f"/set {name} {value}: give a number, or off") from None
        if changed.get("max_new_tokens", 1) < 1:
            raise UserError(f"/set max_new_tokens {value}: writes nothing; give 1 or more")
        Sampling(**{key: each for key, each in changed.items() if key not in ("max_new_tokens", "seed")})  # or says why
        self.settings = changed  # type: ignore[assignment]  # a TypedDict from checked names
        return self._settings()

    def _settings(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.settings.items() if value is not None)

    def _save(self, file: str) -> str:
        if not file:
            raise UserError("/save: name a file")
        lines = "".join(json.dumps(message, ensure_ascii=False) + "\n" for message in self.messages)
        try:
            write_text(Path(file), lines)
        except OSError as error:
            raise UserError(f"/save {file}: cannot be written ({error.strerror}); name another") from None
        return f"{len(self.messages)} messages in {file}"

    def _load(self, file: str) -> str:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise UserError(f"/load {file}: is no file that can be read; name one that /save wrote") from None
        self.messages = [_message(line, f"{file}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
        return f"{len(self.messages)} messages from {file}"


def help_text() -> str:
    """The commands, a line each."""
    width = max(map(len, COMMANDS))
    lines = [f"{name:<{width}}  {what}" for name, what in COMMANDS.items()]
    more = '\\ at a line\'s end goes on below, """ begins and ends several lines, Ctrl-C stops an answer'
    return "\n".join([*lines, more])


def _message(line: str, place: str) -> dict[str, str]:
    try:
        found = json.loads(line)
        return {"role": str(found["role"]), "content": str(found["content"])}
    except (ValueError, KeyError, TypeError):
        raise UserError(f'{place}: is no message; a line is {{"role": "user", "content": "..."}}') from None


def _speed(lm: LanguageModel, said: str, seconds: float, first: float) -> str:
    tokens = len(lm.plain_ids(said)) if said else 0
    return (
        f"{tokens} tokens in {seconds:.1f} s, {tokens / max(seconds, 1e-9):.1f} a second, the first after {first:.2f} s"
    )
