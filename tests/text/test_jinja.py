"""Hugging Face's dialect of Jinja, and what a stranger's template may not do."""

import pytest

from hornbook.core.errors import UserError
from hornbook.text.jinja import BEGIN, FINISH, compiled, written

TALK = [{"role": "user", "content": "Grüße"}, {"role": "assistant", "content": "你好"}]


def write(source: str, *, prompt: bool = False) -> str:
    return written(compiled(source), TALK, {"eos_token": "<e>"}, prompt=prompt)


def test_the_assistants_part_is_between_marks() -> None:
    source = "{% for m in messages %}{% generation %}{{ m.content + eos_token }}{% endgeneration %}{% endfor %}"
    assert write(source) == f"{BEGIN}Grüße<e>{FINISH}{BEGIN}你好<e>{FINISH}"


def test_blocks_are_trimmed_and_loops_may_break() -> None:
    source = (
        "{% for m in messages %}\n    {% if loop.index0 %}{% break %}{% endif %}\n{{ m.content }}\n{% endfor %}\nend"
    )
    assert write(source) == "Grüße\nend"


def test_json_keeps_every_language_readable() -> None:
    assert write("{{ messages[1] | tojson }}") == '{"role": "assistant", "content": "你好"}'


def test_tools_and_dates_may_be_asked_for_and_are_not_there() -> None:
    source = "{% if tools %}tools{% endif %}{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% endif %}."
    assert write(source) == "."
    assert write("{{ 'prompt' if add_generation_prompt }}", prompt=True) == "prompt"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{% for %}", "chat template: not valid Jinja"),
        ("{{ raise_exception('no system') }}", "the chat template refuses these messages: no system"),
        ("{{ messages[9].content + 'x' }}", "chat template: cannot write 2 messages"),
        ("{{ messages + 1 }}", "chat template: cannot write 2 messages"),
        ("{{ messages.__class__.__mro__[1].__subclasses__() }}", "chat template: cannot write 2 messages"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(source: str, sentence: str) -> None:
    with pytest.raises(UserError) as refusal:
        write(source)
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)
