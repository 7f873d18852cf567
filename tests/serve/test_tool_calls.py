"""Calls of tools are taken out of a text, however it is cut into pieces."""

import json

import pytest

from hornbook.serve.tool_calls import ToolReader, read

CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "北京"}}\n</tool_call>'


def fed(text: str, size: int) -> tuple[str, ToolReader]:
    reader, shown = ToolReader(), ""
    for first in range(0, len(text), size):
        shown += reader.feed(text[first : first + size])[0]
    return shown + reader.flush()[0], reader


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_calls_leave_the_text_however_it_is_cut(size: int) -> None:
    shown, reader = fed(f"Let me look. {CALL}{CALL} Done <tool", size)
    assert shown == "Let me look.  Done <tool"
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
