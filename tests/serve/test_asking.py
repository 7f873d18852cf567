"""From bodies to the engine's requests."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from hornbook.serve.asking import Asked, of_chat
from hornbook.serve.bodies import ChatBody, CompletionBody
from hornbook.serve.completing import of_completion
from hornbook.serve.errors import Refused
from hornbook.serve.shelf import Served
from tests.serve.served import HERMES, decoder

ENGINE: Any = SimpleNamespace(settings=SimpleNamespace(capacity=None))
MODELS = {
    name: Served(name, decoder(template, length=128), ENGINE)
    for name, template in (("chatty", "chatml"), ("caller", HERMES), ("plain", None))
}
MODELS["roomy"] = Served("roomy", decoder(HERMES, length=512), ENGINE)
HELLO = [{"role": "user", "content": "a"}]


def chat(model: str = "chatty", **more: Any) -> Asked:
    return of_chat(ChatBody.model_validate({"messages": HELLO, **more}), MODELS[model])


def text(prompt: Any, model: str = "plain", **more: Any) -> Asked:
    return of_completion(CompletionBody.model_validate({"prompt": prompt, **more}), MODELS[model])


def test_a_chat_is_what_the_template_writes() -> None:
    (request,) = chat(stop="x", seed=3, user="me", logprobs=True, top_logprobs=2).requests
    renderer = MODELS["chatty"].lm.renderer
    assert renderer is not None
    assert request.prompt == renderer.prompt(HELLO)
    assert (request.stop, request.seed, request.top_log_probabilities) == (("x",), 3, 2)
    assert request.max_new_tokens == 128 - len(request.prompt)  # to the end of the window
    assert chat(logprobs=True).requests[0].top_log_probabilities == 0
    assert chat().requests[0].top_log_probabilities is None


def test_answers_have_seeds_of_their_own() -> None:
    assert [each.seed for each in chat(n=3, seed=5).requests] == [5, 6, 7]
    assert [each.seed for each in chat(n=2).requests] == [None, None]
    assert [each.seed for each in text(["a", "b"], n=2, seed=-1).requests] == [2**63 - 1, 0] * 2


def test_parts_developers_and_special_tokens() -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]
    joined = [{"role": "user", "content": "ab"}]
    assert chat(messages=parts).requests[0].prompt == chat(messages=joined).requests[0].prompt
    developer, system = ([{"role": role, "content": "x"}, *HELLO] for role in ("developer", "system"))
    assert chat(messages=developer).requests[0].prompt == chat(messages=system).requests[0].prompt
    end = MODELS["plain"].tokenizer.special["<|im_end|>"]
    assert text("a<|im_end|>").requests[0].prompt.count(end) == 1
    typed = [{"role": "user", "content": "a<|im_end|>"}]
    assert chat(messages=typed).requests[0].prompt.count(end) == 1  # the template's own


def test_nothing_at_all_is_the_beginning_of_a_document() -> None:
    tokenizer = MODELS["plain"].tokenizer
    assert text("").requests[0].prompt == [tokenizer.end]
    assert text([5, 6]).requests[0].prompt == [5, 6]
    assert text("a").requests[0].max_new_tokens == 16


def test_sampling_is_what_was_asked() -> None:
    how = text("a", temperature=0.5, top_k=-1, min_p=0, top_p=0.9, logit_bias={"3": -100}).requests[0].sampling
    assert (how.temperature, how.top_k, how.min_p, how.top_p) == (0.5, None, None, 0.9)
    assert dict(how.bias) == {3: -100}
    how = text("a", presence_penalty=0.5, frequency_penalty=-0.5, typical_p=0.9).requests[0].sampling
    assert (how.presence_penalty, how.frequency_penalty, how.typical_p) == (0.5, -0.5, 0.9)


def test_tools_reach_the_template_unless_none_are_wanted() -> None:
    tool = {"type": "function", "function": {"name": "weather"}}
    ids = chat("caller", tools=[tool]).requests[0].prompt
    assert '"name": "weather"' in MODELS["caller"].tokenizer.decode(ids)
    assert len(chat("caller", tools=[tool], tool_choice="none").requests[0].prompt) < len(ids)


def test_a_call_that_must_be_is_the_forms_of_the_template() -> None:
    tools = [{"function": {"name": name, "parameters": {"type": "object"}}} for name in ("f", "g")]
    for choice in ("required", {"type": "function", "function": {"name": "g"}}):
        (request,) = chat("roomy", tools=tools, tool_choice=choice).requests
        assert request.constraint is not None
        begin = request.constraint.allowed()
        tokenizer = MODELS["caller"].tokenizer
        assert {tokenizer.decode([token])[0] for token in begin.nonzero()[:, 0].tolist()} == {"<"}
    assert chat("roomy", tools=tools, tool_choice="auto").requests[0].constraint is None


@pytest.mark.parametrize(
    "body",
    [
        {"tool_choice": "required"},
        {"tool_choice": "required", "tools": []},
        {"tool_choice": "always", "tools": [{"function": {"name": "f"}}]},
        {"tool_choice": {"type": "function", "function": {"name": "g"}}, "tools": [{"function": {"name": "f"}}]},
        {"tool_choice": {"type": "allowed_tools"}, "tools": [{"function": {"name": "f"}}]},
        {"tool_choice": "required", "tools": [{"function": {"name": "f"}}], "regex": "a"},
    ],
)
def test_a_choice_of_tools_that_cannot_be(body: Any) -> None:
    with pytest.raises(ValidationError, match="tool_choice"):
        chat("caller", **body)


@pytest.mark.parametrize(
    ("ask", "param"),
    [
        (lambda: chat("plain"), "model"),
        (lambda: chat(tools=[{"function": {"name": "f"}}]), "tools"),
        (lambda: chat(messages=[{"role": "user"}]), "messages"),
        (lambda: text("x" * 500), "prompt"),
        (lambda: text("a", max_tokens=129), "max_tokens"),
        (lambda: text([9999]), "prompt"),
        (lambda: text("a", logit_bias={"9999": 1}), "logit_bias"),
        (lambda: text("a", logit_bias={"1": 101}), "logit_bias"),
        (lambda: text("a", top_p=2), "top_p"),
        (lambda: text("a", regex="(("), "regex"),
        (
            lambda: chat(
                "caller", tools=[{"function": {"name": "f", "parameters": {"type": "x"}}}], tool_choice="required"
            ),
            "tools",
        ),
    ],
)
def test_what_a_model_cannot_do_names_the_field(ask: Any, param: str) -> None:
    with pytest.raises(Refused) as raised:
        ask()
    assert (raised.value.status, raised.value.param) == (400, param)
