"""Calls of tools are taken out of a text, however it is cut into pieces."""

import json

import pytest

from hornbook.serve.tool_calls import ToolReader, read, reader
from hornbook.serve.tool_forms import Form

CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "北京"}}\n</tool_call>'


SIZES = [1, 2, 3, 7, 1000]


def fed(text: str, size: int, form: Form = "hermes") -> tuple[str, ToolReader]:
    reading, shown = reader(form, ["weather", "f"]), ""
    assert reading is not None
    for first in range(0, len(text), size):
        shown += reading.feed(text[first : first + size])[0]
    return shown + reading.flush()[0], reading


def called(reading: ToolReader) -> list[tuple[str, object]]:
    return [(each["function"]["name"], json.loads(each["function"]["arguments"])) for each in reading.calls]


@pytest.mark.parametrize("size", SIZES)
def test_calls_leave_the_text_however_it_is_cut(size: int) -> None:
    shown, reader = fed(f"Let me look. {CALL}{CALL} Done <tool", size)
    assert shown == "Let me look. Done <tool"
    assert [call["index"] for call in reader.calls] == [0, 1]
    assert json.loads(reader.calls[1]["function"]["arguments"]) == {"city": "北京"}
    assert len({call["id"] for call in reader.calls}) == 2


def test_a_call_that_is_no_json_stays_text() -> None:
    shown, reader = fed("<tool_call>{nothing}</tool_call>!", 4)
    assert (shown, reader.calls) == ("<tool_call>{nothing}</tool_call>!", [])


def test_a_call_without_its_end_mark_counts_where_it_is_whole() -> None:
    assert fed('<tool_call>{"name": "f", "arguments": {}}', 5)[1].calls[0]["function"]["name"] == "f"
    assert fed('<tool_call>{"name": "f", "argu', 5)[0] == '<tool_call>{"name": "f", "argu'


@pytest.mark.parametrize("text", ["[]", "{}", '{"name": 3}', "x"])
def test_what_is_no_call(text: str) -> None:
    assert read(text) is None


TWO = [("weather", {"city": "北京"}), ("f", {"a": [1]})]
LIST = '[{"name": "weather", "arguments": {"city": "北京"}}, {"name": "f", "arguments": {"a": [1]}, "id": "abc123xyz"}]'
WRITTEN: list[tuple[Form, str, str]] = [
    ("mistral", f"[TOOL_CALLS] {LIST}", ""),
    ("mistral", f"Let me look.[TOOL_CALLS]{LIST}\n", "Let me look."),
    ("mistral11", '[TOOL_CALLS]weather[ARGS]{"city": "北京"}[TOOL_CALLS]f[ARGS]{"a": [1]}', ""),
    ("llama", '{"name": "weather", "parameters": {"city": "北京"}}; {"name": "f", "parameters": {"a": [1]}}', ""),
    (
        "llama",
        '<|python_tag|>{"type": "function", "name": "weather", "parameters": {"city": "北京"}}\n'
        '{"type": "function", "function": {"name": "f", "parameters": {"a": [1]}}}<|eom_id|>',
        "",
    ),
    ("bare", '{"name": "weather", "arguments": {"city": "北京"}} {"name": "f", "arguments": {"a": [1]}} Done', " Done"),
    ("hermes", CALL + '\n<tool_call>{"name": "f", "arguments": {"a": [1]}}</tool_call>\n', ""),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("form", "text", "shown"), WRITTEN)
def test_each_form_however_it_is_cut(form: Form, text: str, shown: str, size: int) -> None:
    said, reading = fed(text, size, form)
    assert (said, called(reading)) == (shown, TWO)
    assert [each["index"] for each in reading.calls] == [0, 1]


TEXTS: list[tuple[Form, str]] = [
    ("llama", 'I would write {"name": "f", "parameters": {}}'),
    ("llama", '{"name": "unknown", "parameters": {}}'),
    ("llama", '{"answer": 3} and more'),
    ("llama", '{"name": "f", "parameters": {"a"'),
    ("llama", " \n"),
    ("llama", "<|python_tag|>print(3)"),
    ("mistral", '[TOOL_CALLS] [{"name": "f"'),
    ("mistral", "[TOOL_CALLS] [1] [TOOL_CALLS] []"),
    ("mistral", "a [TOOL_CALL"),
    ("mistral11", "[TOOL_CALLS]f[ARGS]3"),
    ("mistral11", '[TOOL_CALLS]f{"a": 3}'),
    ("hermes", "<tool_call><function=f></function></tool_call> <tool_call>"),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("form", "text"), TEXTS)
def test_what_is_no_call_stays_text_to_the_letter(form: Form, text: str, size: int) -> None:
    said, reading = fed(text, size, form)
    assert (said, reading.calls) == (text, [])


def test_text_is_shown_as_soon_as_it_cannot_be_a_call() -> None:
    for form in ("llama", "mistral", "hermes"):
        reading = reader(form, ["f"])
        assert reading is not None
        assert "".join(reading.feed(piece)[0] for piece in ("It ", "is ", "warm")) == "It is warm"
    assert reader(None, ["f"]) is None


def test_a_call_is_told_when_it_is_whole() -> None:
    for form, text, _ in WRITTEN:
        reading, told = reader(form, ["weather", "f"]), []
        assert reading is not None
        for character in text:
            told += reading.feed(character)[1]
        assert told == reading.calls, form
        assert len(told) == 2
