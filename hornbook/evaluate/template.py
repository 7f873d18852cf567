"""What a task file writes in braces: values and texts made of a row's columns, in Jinja's sandbox.

`"{{choices.text}}"`, braces and nothing else, is the value itself (a list, a number); anything beside them is text. The
two filters are those that public benchmarks need before they can be asked.
"""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hornbook.core.errors import UserError

_JINJA = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
_ALONE = re.compile(r"\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)


def value(template: str, row: Mapping[str, Any]) -> Any:
    """What a template is for a row.

    >>> value("{{choices.text}}", {"choices": {"text": ["a", "b"]}}), value("Q: {{q}}", {"q": 1})
    (['a', 'b'], 'Q: 1')
    """
    alone = _ALONE.fullmatch(template.strip()) if "{%" not in template else None
    known = {**row, "row": row}  # `row['Best Answer']`: a column whose name is no name in Jinja
    try:
        if alone is None:
            return _JINJA.from_string(template).render(known)
        found = _JINJA.compile_expression(alone[1], undefined_to_none=False)(**known)
        if isinstance(found, StrictUndefined):
            str(found)  # says what is undefined
        return found
    except (TemplateError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        columns = ", ".join(str(name) for name in row if name != "id")
        raise UserError(
            f"{row.get('id', 'a row')}: {template!r} cannot be made of it ({error}); its columns are {columns}"
        ) from None


def text(template: str, row: Mapping[str, Any]) -> str:
    """The same, as text."""
    return str(value(template, row))


def wikihow(written: str) -> str:
    """HellaSwag's texts without the marks of the page they came from, as the reference harness cleans them.

    >>> wikihow("Make tea [title] Boil [step] the water.")
    'Make tea. Boil the water.'
    """
    written = re.sub(r"\[.*?\]", "", written.strip().replace(" [title]", ". "))
    return written.replace("  ", " ")


def small(written: str) -> str:
    """With a small first letter: a choice that goes on in the middle of a sentence.

    >>> small("It broke.")
    'it broke.'
    """
    return written[:1].lower() + written[1:]


_JINJA.filters |= {"wikihow": wikihow, "small": small}
