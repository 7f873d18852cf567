"""Conversations to token ids, and which of them are trained: the one renderer of training, evaluation and generation.

A template is Jinja in the Hugging Face sense: a name from templates.py, or anyone's text. What stands inside
`{% generation %}` is the assistant's, stop token included, and is trained. Most published templates lack that mark;
there the assistant's part is what follows the prompt of its turn, up to the stop token, and the prompt must be the
beginning of the whole. A prompt has the same ids whether an answer follows or is still to be written. The spelling of a
special token inside a message stays plain text, always: nobody can end their turn by typing it. Tools may be offered in
prompts (tool_turns.py), not in what is trained. Leaves out dates and images in templates.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.text import tool_turns
from hornbook.text.jinja import BEGIN, BREAK, FINISH, GENERATION, compiled, written
from hornbook.text.templates import TEMPLATES, sayable
from hornbook.text.tokenizer import Tokenizer

Message = Mapping[str, str]
"""{"role": "system" | "user" | "assistant", "content": text}; a user may give an "input" beside it, as in Alpaca."""

ROLES = ("system", "user", "assistant")
FILE = "chat_template.jinja"  # beside tokenizer.json, where transformers looks for it
INPUT = re.compile(r"message(\.input|\[['\"]input['\"]\])")  # a template that has a place of its own for it
ADD = "put {% generation %} and {% endgeneration %} around what the assistant says"
TOOLS = re.compile(r"{[{%][^}]*\btools\b")  # a template that has a place for them
PROBE = "Good"  # what the assistant says where only the form matters

MARKS = re.compile(f"([{BEGIN}{FINISH}])")


@dataclass(frozen=True)
class Rendered:
    """A conversation as ids, and for each id whether it is the assistant's and is trained."""

    ids: list[int]
    trained: list[bool]

    def add(self, ids: list[int], trained: bool) -> None:
        """Some more ids, all of them trained or none."""
        self.ids.extend(ids)
        self.trained.extend([trained] * len(ids))


class Renderer:
    """A template with a tokenizer."""

    def __init__(self, tokenizer: Tokenizer, template: str = "chatml", words: Mapping[str, str] | None = None) -> None:
        """`template` is a name from TEMPLATES or Jinja text; `words` are what it may use, such as `eos_token`."""
        self.tokenizer, self.source = tokenizer, _source(tokenizer, template)
        end = next(token for token, i in tokenizer.special.items() if i == tokenizer.end)
        self.words = {"bos_token": "", "eos_token": end, **(words or {})}
        self._special = re.compile("|".join(map(re.escape, sorted(tokenizer.special, key=len, reverse=True))))
        self._template, self._marked = compiled(self.source), GENERATION.search(self.source) is not None

    def render(self, messages: Sequence[Message]) -> Rendered:
        """A whole conversation, for training: the assistant's content and stop token are trained, nothing else."""
        rendered = self._encode(self._text(self._plain(messages)))
        if not any(rendered.trained):
            raise UserError(
                "chat template: nothing of this conversation is trained; it needs an assistant's message, and the "
                "template needs {% generation %} around what the assistant says"
            )
        return rendered

    def row(self, messages: Sequence[Message], name: str) -> Rendered:
        """As `render`; what is wrong is said with the name of the row, such as "file.jsonl:17"."""
        try:
            return self.render(messages)
        except UserError as error:
            raise UserError(f"{name}: {error}") from None

    def prompt(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()) -> list[int]:
        """The ids after which the assistant's next message is to be written; `tools` are what it may call."""
        if tools or tool_turns.has_tools(messages):
            offered = tool_turns.deep(list(tools), self._safe) or None
            return self._encode(self._render(tool_turns.turns(messages, self._safe), prompt=True, tools=offered)).ids
        plain = self._plain(messages)
        try:
            text = self._text(plain, prompt=True)
        except UserError:  # whose part is whose matters to training alone
            text = self._render(plain, prompt=True)
        return self._encode(text).ids

    @cached_property
    def takes_tools(self) -> bool:
        """Whether the template has a place for tools."""
        return TOOLS.search(self.source) is not None

    @cached_property
    def ends(self) -> frozenset[int]:
        """The ids after which an answer is over."""
        try:
            return frozenset([self.tokenizer.end, self.stop])
        except UserError:  # a template that trains no stop token may still be spoken with
            return frozenset([self.tokenizer.end])

    @cached_property
    def stop(self) -> int:
        """The id with which the assistant ends a message; it must be a trained special token."""
        return self.tokenizer.special[self._stop]

    @cached_property
    def _stop(self) -> str:
        """The first special token after what the assistant says."""
        messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": PROBE}]
        if self._marked:
            said = "".join(re.findall(f"{BEGIN}([^{FINISH}]*){FINISH}", self._render(messages)))
        else:
            said = self._render(messages)[len(self._before(messages, 1)) :]
        found = self._special.search(said, said.find(PROBE) + len(PROBE)) if PROBE in said else None
        if found is None:
            raise UserError(
                "chat template: the assistant's part does not end in a special token, so a model would never learn to "
                "stop; put {{ eos_token }} before {% endgeneration %}"
            )
        return found[0]

    def save(self, folder: Path) -> None:
        """Write the template where transformers and `load` find it."""
        (folder / FILE).write_text(self.source, encoding="utf-8")

    def _text(self, messages: list[Message], *, prompt: bool = False) -> str:
        """The rendered text with BEGIN and FINISH around each of the assistant's parts."""
        text = self._render(messages, prompt=prompt)
        spoken = [number for number, message in enumerate(messages) if message["role"] == "assistant"]
        if self._marked or not spoken:
            return text
        stretches, done = [], 0
        for number in spoken:
            begin = len(self._before(messages, number, text))
            finish = text.find(self._stop, begin) + len(self._stop)
            if finish < begin + len(self._stop):
                raise UserError(f"chat template: writes no {self._stop} behind message {number + 1}; {ADD}")
            stretches += [text[done:begin], BEGIN, text[begin:finish], FINISH]
            done = finish
        return "".join([*stretches, text[done:]])

    def _before(self, messages: Sequence[Message], number: int, whole: str | None = None) -> str:
        """What the assistant was given when it wrote message `number`: the whole text must begin with it."""
        before = self._render(messages[:number], prompt=True)
        if not (self._render(messages) if whole is None else whole).startswith(before):
            raise UserError(f"chat template: the prompt of message {number + 1} is not how the whole begins; {ADD}")
        return before

    def _render(self, messages: Sequence[Mapping[str, Any]], *, prompt: bool = False, tools: Any = None) -> str:
        return written(self._template, messages, {**self.words, "tools": tools}, prompt=prompt)

    def _plain(self, messages: Sequence[Message]) -> list[Message]:
        """The messages, checked; special tokens in them are broken so that they are not taken for one."""
        if not messages:
            raise UserError("messages: there is none; give at least one with role user")
        return [self._checked(number, message) for number, message in enumerate(messages, 1)]

    def _checked(self, number: int, message: Message) -> Message:
        role, content, more = message.get("role"), message.get("content"), message.get("input", "")
        if role not in ROLES:
            raise UserError(f"message {number}: role {role!r} is not one of {', '.join(ROLES)}")
        if not isinstance(content, str) or not (content.strip() or role != "assistant"):
            raise UserError(f"message {number}: the content of role {role} is {content!r}; give a text")
        if any(mark in content + more for mark in (BEGIN, FINISH, BREAK)):
            raise UserError(f"message {number}: holds a Unicode noncharacter (U+FDD0 to U+FDD2); take it out")
        if more and not INPUT.search(self.source):
            content, more = f"{content}\n\n{more}", ""
        return {"role": role, "content": self._broken(content)} | ({"input": self._broken(more)} if more else {})

    def _safe(self, content: str) -> str:
        if any(mark in content for mark in (BEGIN, FINISH, BREAK)):
            raise UserError("a text of these messages holds a Unicode noncharacter (U+FDD0 to U+FDD2); take it out")
        return self._broken(content)

    def _broken(self, content: str) -> str:
        return self._special.sub(lambda match: match[0][0] + BREAK + match[0][1:], content)

    def _encode(self, text: str) -> Rendered:
        """Special tokens of the template as their ids, everything else as plain text."""
        found, place, speaking = Rendered([], []), 0, False
        for match in [*self._special.finditer(text), None]:
            parts = []
            for part in MARKS.split(text[place : match.start() if match else len(text)]):
                if part in (BEGIN, FINISH):
                    speaking = part == BEGIN
                elif part:
                    parts.append((part.replace(BREAK, ""), speaking))
            for ids, spoken in self._stretches(parts):
                found.add(ids, spoken)
            if match:
                found.add([self.tokenizer.special[match[0]]], speaking)
                place = match.end()
        return found

    def _stretches(self, parts: list[tuple[str, bool]]) -> list[tuple[list[int], bool]]:
        """The ids of texts that follow one another, in one go where no token lies across a border, else one by one."""
        ids = self.tokenizer.encode("".join(part for part, _ in parts)) if parts else []
        stretches, text, done = [], "", 0
        for part, spoken in parts[:-1]:
            text += part
            head = self.tokenizer.encode(text)
            if ids[: len(head)] != head:
                return [(self.tokenizer.encode(part), spoken) for part, spoken in parts]
            stretches.append((head[done:], spoken))
            done = len(head)
        return [*stretches, *((ids[done:], spoken) for _, spoken in parts[-1:])]


def _source(tokenizer: Tokenizer, template: str) -> str:
    """The text of a template; what the tokenizer wants before any text stands in front of one of ours."""
    if template not in TEMPLATES:
        if "{" not in template:
            raise UserError(f"chat template {template!r}: is no Jinja text and none of {', '.join(TEMPLATES)}")
        return template
    named = TEMPLATES[template]
    missing = [token for token in named.tokens if token not in tokenizer.special]
    if missing:
        raise UserError(
            f"chat template {template}: the tokenizer has no token {missing[0]}; take {' or '.join(sayable(()))}, "
            "which need none, or add it to the tokenizer's `special`"
        )
    around, spelled = tokenizer.wrap([-1])[0], {i: token for token, i in tokenizer.special.items()}
    begin = "".join(spelled[i] for i in around[: around.index(-1)])
    return f"{{{{- {json.dumps(begin)} }}}}{named.text}" if begin else named.text


def load(folder: Path, tokenizer: Tokenizer) -> Renderer | None:
    """The renderer of a model's folder, ours or anyone's; None for a model that has no chat template."""
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    template = config.get("chat_template")
    if (folder / FILE).is_file():
        template = (folder / FILE).read_text(encoding="utf-8")
    if isinstance(template, list):  # several by name: tool use, retrieval; the plain one is called default
        template = {each["name"]: each["template"] for each in template}.get("default")
    if template is None:
        return None
    tokens = {key: config.get(key) for key in ("bos_token", "eos_token", "pad_token", "unk_token")}
    spelled = {key: token["content"] if isinstance(token, dict) else token for key, token in tokens.items() if token}
    return Renderer(tokenizer, template, spelled)
