"""Tools with the openai client and a real server: left to the model, required, named, streamed, in every form."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.serve.served import HERMES, Server, decoder

PLACE = "{% if tools %}<|im_start|>{{ tools | tojson }}<|im_end|>{% endif %}"
TALK = "{% for each in messages %}<|im_start|>{{ each.role }} {{ each.content }}<|im_end|>{% endfor %}<|im_start|>"
LLAMA = PLACE + '{# ipython #}{% if false %}{{ \'{"name": "f", "parameters": \' }}{% endif %}' + TALK
MISTRAL = PLACE + "{% if false %}[TOOL_CALLS] []{% endif %}" + TALK
TEMPLATES = {"hermes": HERMES, "llama": LLAMA, "mistral": MISTRAL, "other": PLACE + TALK}
MARKS = {"hermes": ("<tool_call>", "</tool_call>"), "mistral": ("[TOOL_CALLS]",)}
HELLO = [{"role": "user", "content": "你好"}]
WEATHER = {
    "type": "object",
    "properties": {"city": {"enum": ["北京", "Rome"]}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "of some days", "parameters": WEATHER}},
    {"type": "function", "function": {"name": "sing", "parameters": {"type": "object", "additionalProperties": False}}},
]
WRITTEN = {
    "hermes": '<tool_call>\n{"name": "sing", "arguments": {"a": 1}}\n</tool_call>',
    "llama": '{"name": "sing", "parameters": {"a": 1}}',
    "mistral": '[TOOL_CALLS] [{"name": "sing", "arguments": {"a": 1}}]',
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    where: Path = tmp_path_factory.mktemp("models")
    for name, template in TEMPLATES.items():
        decoder(template, special=MARKS.get(name, ())).save(where / name)
    with (
        Server(*(str(where / name) for name in TEMPLATES)) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made,
    ):
        yield made


def ask(client: Any, name: str, **more: Any) -> Any:
    how = {"messages": HELLO, "tools": TOOLS, "max_tokens": 400, "temperature": 1.0}
    return client.chat.completions.create(model=name, **{**how, **more})


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("seed", range(3))
def test_a_required_call_has_the_name_and_the_arguments_of_a_tool(client: Any, name: str, seed: int) -> None:
    done = ask(client, name, seed=seed, tool_choice="required", parallel_tool_calls=False).choices[0]
    assert (done.finish_reason, done.message.content) == ("tool_calls", None)
    (call,) = done.message.tool_calls
    found = json.loads(call.function.arguments)
    assert call.function.name in ("weather", "sing")
    assert found == {} if call.function.name == "sing" else found["city"] in ("北京", "Rome")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_named_function_is_called_and_streamed(client: Any, name: str) -> None:
    choice = {"type": "function", "function": {"name": "weather"}}
    whole = ask(client, name, seed=4, tool_choice=choice).choices[0].message
    pieces = list(ask(client, name, seed=4, tool_choice=choice, stream=True))
    calls = [call for piece in pieces for call in piece.choices[0].delta.tool_calls or []]
    assert [(call.index, call.function.name) for call in calls] == [(0, "weather")]
    assert calls[0].function.arguments == whole.tool_calls[0].function.arguments
    found = json.loads(calls[0].function.arguments)
    assert found.keys() == {"city", "days"}
    assert 1 <= found["days"] <= 9
    assert pieces[-1].choices[0].finish_reason == "tool_calls"
    assert not any(piece.choices[0].delta.content for piece in pieces)
    follow = [*HELLO, whole.model_dump(), {"role": "tool", "tool_call_id": "x", "content": "sunny"}]
    assert ask(client, name, messages=follow, max_tokens=2).usage.completion_tokens > 0


@pytest.mark.parametrize("name", WRITTEN)
def test_what_the_model_writes_by_itself_becomes_calls(client: Any, name: str) -> None:
    script = {"choices": [WRITTEN[name]]}
    done = ask(client, name, extra_body=script).choices[0]
    assert (done.finish_reason, done.message.content) == ("tool_calls", None)
    assert [(each.function.name, json.loads(each.function.arguments)) for each in done.message.tool_calls] == [
        ("sing", {"a": 1})
    ]
    pieces = list(ask(client, name, extra_body=script, stream=True))
    assert [each.function.name for piece in pieces for each in piece.choices[0].delta.tool_calls or []] == ["sing"]
    none = ask(client, name, extra_body=script, tool_choice="none").choices[0]
    assert (none.message.content, none.finish_reason) == (WRITTEN[name], "stop")


def test_a_form_that_is_not_known_stays_text(client: Any) -> None:
    for text in WRITTEN.values():
        done = ask(client, "other", extra_body={"choices": [text]}).choices[0]
        assert (done.message.content, done.message.tool_calls) == (text, None)


def test_what_cannot_be_chosen_is_said(client: Any) -> None:
    for more in (
        {"tool_choice": "required", "tools": []},
        {"tool_choice": {"type": "function", "function": {"name": "x"}}},
    ):
        with pytest.raises(openai.BadRequestError, match="tool_choice: asks for a tool that is not among"):
            ask(client, "hermes", **more)
    broken = [{"type": "function", "function": {"name": "f", "parameters": {"type": "colour"}}}]
    with pytest.raises(openai.BadRequestError, match="tools: the form"):
        ask(client, "llama", tools=broken, tool_choice="required")
