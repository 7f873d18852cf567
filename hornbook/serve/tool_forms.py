"""The forms in which models write calls of tools: which one a chat template has, and the grammar of a required call.

    hermes     <tool_call>\\n{"name": "f", "arguments": {...}}\\n</tool_call>     Qwen 2.5 and 3, Hermes, SmolLM3
    llama      {"name": "f", "parameters": {...}}; ...                         Llama 3.1 to 3.3: the answer is the call
    mistral    [TOOL_CALLS] [{"name": "f", "arguments": {...}}, ...]           Mistral's tokenizers v3 and v7
    mistral11  [TOOL_CALLS]f[ARGS]{...}                                        from v11 on
    bare       {"name": "f", "arguments": {...}}                               any other template, where a call must be

A template that has none of these may be given tools, but what its model writes stays text (Qwen3-Coder's XML,
DeepSeek's marks) unless a call is required.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Form = Literal["hermes", "llama", "mistral", "mistral11", "bare"]
OPEN, CLOSE = "<tool_call>", "</tool_call>"
MARK, ARGUMENTS = "[TOOL_CALLS]", "[ARGS]"
PYTHON = "<|python_tag|>"  # which Llama may write before a call
ANY = {"type": "object"}  # of a function that does not say what its arguments are
STRICT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}  # as `tojson` writes


def form_of(template: str) -> Form | None:
    """The form in which a chat template shows its calls; None: none of those that are known.

    >>> form_of("...'<tool_call>\\n' + (call | tojson) + '\\n</tool_call>'..."), form_of("{{ messages }}")
    ('hermes', None)
    """
    if OPEN in template:
        return None if "<function=" in template else "hermes"
    if MARK in template:
        return "mistral11" if ARGUMENTS in template else "mistral"
    llama = '"parameters": ' in template and ("ipython" in template or PYTHON in template)
    return "llama" if llama else None


def grammar(form: Form, functions: Sequence[Mapping[str, Any]], special: Mapping[str, int], *, several: bool) -> str:
    """The calls of these functions (`name`, `parameters`) and nothing else, in llguidance's Lark.

    special: tokens that are written as one; `several`: more than one call may follow one another.
    """
    names = [f"c{number}" for number in range(len(functions))]
    head = {"llama": "parameters"}.get(form, "arguments")
    lines = [f"start: {_around(form, special, several)}", f"call: {' | '.join(names)}"]
    for name, function in zip(names, functions, strict=True):
        said = json.dumps(function["name"], ensure_ascii=False)
        before, after = f'{{"name": {said}, "{head}": ', "}"
        if form == "mistral11":
            before, after = function["name"], ""
        marks = [_mark(ARGUMENTS, special)] if form == "mistral11" else []
        parts = [_text(before), *marks, f"{name}_arguments", *([_text(after)] if after else [])]
        schema = {**(function.get("parameters") or ANY), "x-guidance": STRICT}
        lines += [f"{name}: {' '.join(parts)}", f"{name}_arguments: %json {json.dumps(schema)}"]
    return "\n".join(lines)


def _around(form: Form, special: Mapping[str, int], several: bool) -> str:
    """What stands around calls and between them."""
    one, between = "call", '"; "'
    if form == "hermes":
        one = f"{_mark(OPEN, special)} {_text(chr(10))} call {_text(chr(10))} {_mark(CLOSE, special)}"
        between = _text("\n")
    if form == "mistral11":
        one, between = f"{_mark(MARK, special)} call", ""
    if form == "mistral":
        rest = '(", " call)*' if several else ""
        return f'{_mark(MARK, special)} "[" call {rest} "]"'
    return f"{one} ({between} {one})*" if several and form != "bare" else one


def _mark(text: str, special: Mapping[str, int]) -> str:
    """A mark, by its token where it has one."""
    return f"<[{special[text]}]>" if text in special else _text(text)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
