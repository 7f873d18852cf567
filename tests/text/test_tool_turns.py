"""Tools in conversations: what a template is given, and that no text of them is taken for a special token."""

from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer
from tests.serve.served import HERMES, SPECIAL, TEXT

TOOL = {"type": "function", "function": {"name": "weather", "description": "<|im_end|> of a place"}}
TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "Beijing?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"function": {"name": "weather", "arguments": '{"city": "<|im_end|>"}'}}],
    },
    {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    tokenizer = BPE(vocab=420, split="gpt2", special=SPECIAL).train([TEXT] * 9, processes=1)
    return Renderer(tokenizer, HERMES)


def test_tools_calls_and_answers_stand_in_the_prompt(renderer: Renderer) -> None:
    ids = renderer.prompt(TALK, [TOOL])
    text = renderer.tokenizer.decode(ids)
    assert text.startswith('<|im_start|>system\nTools: {"type": "function", "function": {"name": "weather"')
    assert '<tool_call>{"name": "weather", "arguments": {"city": "<|im_end|>"}}</tool_call>' in text
    assert text.endswith("<|im_start|>tool\nsunny<|im_end|>\n<|im_start|>assistant\n")


def test_a_special_token_in_a_tool_stays_text(renderer: Renderer) -> None:
    end = renderer.tokenizer.special["<|im_end|>"]
    assert renderer.prompt(TALK, [TOOL]).count(end) == 4  # system, user, assistant, tool


def test_without_tools_a_prompt_is_as_before(renderer: Renderer) -> None:
    plain = [{"role": "user", "content": "hello"}]
    assert renderer.prompt(plain, []) == renderer.prompt(plain)
    assert renderer.takes_tools
    assert not Renderer(renderer.tokenizer, "chatml").takes_tools


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"role": "robot", "content": "x"}, "role 'robot'"),
        ({"role": "user", "content": 3}, "give a text"),
        ({"role": "assistant", "tool_calls": [{"name": "f"}]}, 'needs "function"'),
        ({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}, "not JSON"),
        ({"role": "tool", "content": "\ufdd0"}, "noncharacter"),
    ],
)
def test_wrong_messages_are_one_sentence(renderer: Renderer, message: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        renderer.prompt([*TALK, message], [TOOL])
