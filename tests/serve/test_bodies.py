"""What clients may send: bounds, forms that exclude one another, slips of the pen."""

from typing import Any

import pytest
from pydantic import ValidationError

from hornbook.serve.bodies import ChatBody, CompletionBody, EmbeddingBody

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}


def test_nothing_but_messages_is_needed_and_null_is_nothing() -> None:
    body = ChatBody.model_validate({**HELLO, "stop": None, "n": None, "stream_options": None, "store": True})
    assert (body.stops, body.usage_too) == ((), False)
    assert ChatBody.model_validate({**HELLO, "stop": "a"}).stops == ("a",)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"temprature": 1}, "did you mean 'temperature'"),
        ({"stop": ["x"] * 10_000}, "10000 stop strings are too many"),
        ({"stop": "x" * 1001}, "longer than 1000"),
        ({"max_tokens": 0}, "greater than or equal to 1"),
        ({"max_tokens": "7"}, "valid integer"),
        ({"temperature": float("nan")}, "finite"),
        ({"n": 33}, "less than or equal to 32"),
        ({"regex": "a", "choices": ["a"]}, "each decides the form"),
        ({"response_format": {"type": "json_schema"}}, "needs `json_schema`"),
        ({"response_format": {"type": "xml"}}, "'text', 'json_object' or 'json_schema'"),
        ({"top_logprobs": 3}, "needs logprobs: true"),
        ({"logprobs": True, "top_logprobs": 21}, "less than or equal to 20"),
        ({"tool_choice": "required"}, r"not among `tools` \(none\)"),
        ({"messages": []}, "at least 1"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "'system', 'developer'"),
    ],
)
def test_what_cannot_be_is_refused(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ChatBody.model_validate({**HELLO, **more})


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"best_of": 2, "n": 3}, "best_of: of 2 answers 3 cannot be kept"),
        ({"best_of": 2, "stream": True}, "best_of: the best is known at the end"),
        ({"max_tokens": 0}, "max_tokens: 0 writes nothing"),
        ({"suffix": "x", "echo": True, "logprobs": 1}, "suffix: the logprobs"),
    ],
)
def test_what_completions_leave_out(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        CompletionBody.model_validate({"prompt": "a", **more})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [([], "0 texts"), (["a"] * 2049, "2049 texts"), ([1, 2], "token ids"), (["a", ""], "empty text")],
)
def test_vectors_are_of_texts(given: Any, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        EmbeddingBody.model_validate({"input": given})


def test_one_text_or_several() -> None:
    assert EmbeddingBody.model_validate({"input": "a"}).texts == ["a"]
    assert EmbeddingBody.model_validate({"input": ["a", "b"]}).texts == ["a", "b"]
