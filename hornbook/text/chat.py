"""Conversations to token ids, and which of them are trained: the one renderer of training, evaluation and generation.

A template is Jinja in the Hugging Face sense; what stands inside `{% generation %}` is the assistant's, stop token
included, and is trained. Ids are made in stretches that end where the assistant's part begins and ends, so a prompt has
the same ids whether an answer follows or is still to be written. The spelling of a special token inside a message stays
plain text, always: nobody can end their turn by typing it. Leaves out tools, dates and images in templates.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hornbook.core.errors import UserError
from hornbook.text.tokenizer import Tokenizer

Message = Mapping[str, str]  # {"role": "system" | "user" | "assistant", "content": text}

ROLES = ("system", "user", "assistant")
FILE = "chat_template.jinja"  # beside tokenizer.json, where transformers looks for it

TEMPLATES = {
    # OpenAI's ChatML: needs <|im_start|> and <|im_end|> in the tokenizer
    "chatml": """{% for message in messages %}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}
{%- else %}
{{- message['content'] + '<|im_end|>' }}
{%- endif %}
{{- '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    # Taori et al. 2023, Stanford Alpaca, without its opening sentence; any tokenizer can say it
    "plain": """{% for message in messages %}
{%- if message['role'] == 'assistant' %}
{{- '### Response:\\n' }}
{%- generation %}{{ message['content'] + eos_token }}{% endgeneration %}
{{- '\\n\\n' }}
{%- elif message['role'] == 'user' %}
{{- '### Instruction:\\n' + message['content'] + '\\n\\n' }}
{%- else %}
{{- message['content'] + '\\n\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '### Response:\\n' }}
{%- endif %}
""",
}

# Unicode's noncharacters are never part of a text: they mark, inside a rendered one, what came from where.
BEGIN, FINISH, BREAK = "\ufdd0", "\ufdd1", "\ufdd2"


class _Generation(Extension):
    """`{% generation %}...{% endgeneration %}` keeps its content and puts marks around it."""

    tags = {"generation"}  # noqa: RUF012 -- Jinja's own type

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("mark"), [], [], body).set_lineno(line)

    def mark(self, caller: Any) -> str:
        return f"{BEGIN}{caller()}{FINISH}"


def _refuse(message: str) -> None:
    raise UserError(f"the chat template refuses these messages: {message}")


_JINJA = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
_JINJA.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
_JINJA.globals["raise_exception"] = _refuse


@dataclass(frozen=True)
class Rendered:
    """A conversation as ids, and for each id whether it is the assistant's and is trained."""

    ids: list[int]
    trained: list[bool]


class Renderer:
    """A template with a tokenizer."""

    def __init__(self, tokenizer: Tokenizer, template: str = "chatml", words: Mapping[str, str] | None = None) -> None:
        """`template` is a name from TEMPLATES or Jinja text; `words` are what it may use, such as `eos_token`."""
        self.tokenizer, self.source = tokenizer, TEMPLATES.get(template, template)
        end = next(token for token, i in tokenizer.special.items() if i == tokenizer.end)
        self.words = {"bos_token": "", "eos_token": end, **(words or {})}
        self._special = re.compile("|".join(map(re.escape, sorted(tokenizer.special, key=len, reverse=True))))
        try:
            self._template = _JINJA.from_string(self.source)
        except TemplateError as error:
            raise UserError(
                f"chat template: not valid Jinja ({error}); mend it or name one of {', '.join(TEMPLATES)}"
            ) from None
        for token in ("<|im_start|>", "<|im_end|>"):
            if template == "chatml" and token not in tokenizer.special:
                raise UserError(
                    f"chat template chatml: the tokenizer has no token {token}; add it to the tokenizer's `special`, "
                    "or take the template `plain`"
                )

    def render(self, messages: Sequence[Message]) -> Rendered:
        """A whole conversation, for training: the assistant's content and stop token are trained, nothing else."""
        pieces = self._pieces(messages, add_generation_prompt=False)
        ids, trained = [], []
        for text, assistant in pieces:
            some = self._encode(text)
            ids += some
            trained += [assistant] * len(some)
        if not any(trained):
            raise UserError(
                "chat template: nothing of this conversation is trained; it needs an assistant's message, and the "
                "template needs {% generation %} around what the assistant says"
            )
        return Rendered(ids, trained)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The ids after which the assistant's next message is to be written."""
        return [i for text, _ in self._pieces(messages, add_generation_prompt=True) for i in self._encode(text)]

    @cached_property
    def ends(self) -> frozenset[int]:
        """The ids after which an answer is over."""
        marked = re.search(r"{%-?\s*generation\s*-?%}", self.source)
        return frozenset([self.tokenizer.end, self.stop] if marked else [self.tokenizer.end])

    @cached_property
    def stop(self) -> int:
        """The id with which the assistant ends a message; it must be a trained special token."""
        probe = self.render([{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}])
        last = [i for i, trained in zip(probe.ids, probe.trained, strict=True) if trained][-1]
        if last not in self.tokenizer.special.values():
            raise UserError(
                "chat template: the assistant's part does not end in a special token, so a model would never learn to "
                "stop; put {{ eos_token }} before {% endgeneration %}"
            )
        return last

    def save(self, folder: Path) -> None:
        """Write the template where transformers and `load` find it."""
        (folder / FILE).write_text(self.source, encoding="utf-8")

    def _pieces(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> list[tuple[str, bool]]:
        """The rendered text in stretches: (text, whether the assistant's)."""
        plain = [{**message, "content": self._content(number, message)} for number, message in enumerate(messages)]
        if not plain:
            raise UserError("messages: there is none; give at least one with role user")
        text = self._template.render(messages=plain, add_generation_prompt=add_generation_prompt, **self.words)
        stretches = re.split(f"({BEGIN}[^{FINISH}]*{FINISH})", text)
        return [(stretch.strip(BEGIN + FINISH), stretch.startswith(BEGIN)) for stretch in stretches if stretch]

    def _content(self, number: int, message: Message) -> str:
        """A message's content, in which special tokens are broken so that they are not taken for one."""
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            raise UserError(f"message {number + 1}: role {role!r} is not one of {', '.join(ROLES)}")
        if not isinstance(content, str) or not (content or role != "assistant"):
            raise UserError(f"message {number + 1}: the content of role {role} is {content!r}; give a text")
        if any(mark in content for mark in (BEGIN, FINISH, BREAK)):
            raise UserError(f"message {number + 1}: holds a Unicode noncharacter (U+FDD0 to U+FDD2); take it out")
        return self._special.sub(lambda match: match[0][0] + BREAK + match[0][1:], content)

    def _encode(self, text: str) -> list[int]:
        """Special tokens of the template as their ids, everything else as plain text."""
        ids, place = [], 0
        for match in self._special.finditer(text):
            ids += self.tokenizer.encode(text[place : match.start()].replace(BREAK, ""))
            ids.append(self.tokenizer.special[match[0]])
            place = match.end()
        return ids + self.tokenizer.encode(text[place:].replace(BREAK, ""))


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
