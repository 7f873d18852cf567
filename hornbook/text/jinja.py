"""Jinja as chat templates want it: Hugging Face's dialect, with marks where the assistant's part begins and ends.

The dialect is that of transformers' `apply_chat_template`: blocks trimmed, `{% generation %}`, `{% break %}`, `tojson`
that keeps every language readable, and `raise_exception`. Templates come from strangers, so they run in a sandbox.
Leaves out `strftime_now`: rows that change with the day could not be made again.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Template, TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hornbook.core.errors import UserError

GENERATION = re.compile(r"{%-?\s*generation\s*-?%}")

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


def compiled(source: str) -> Template:
    """A template, ready to write; UserError where it is no Jinja."""
    try:
        return _JINJA.from_string(source)
    except TemplateError as error:
        raise UserError(
            f"chat template: not valid Jinja ({error}); mend it or name one of hornbook's own, such as chatml"
        ) from None


def written(
    template: Template, messages: Sequence[Mapping[str, Any]], words: Mapping[str, Any], *, prompt: bool
) -> str:
    """What a template makes of messages, marks and all; `prompt`: up to where the assistant is to speak."""
    try:
        return template.render(messages=messages, add_generation_prompt=prompt, **words)
    except (TemplateError, TypeError) as error:  # a name it misses, a text it adds to something else
        raise UserError(f"chat template: cannot write {len(messages)} messages ({error}); mend the template") from None
