"""OpenAI's objects from the engine's pieces."""

from types import SimpleNamespace
from typing import Any

import pytest

from hornbook.generate.serving import Piece, Request, Ticket, TokenLogProbability
from hornbook.serve.answers import LEAST, Choice, Head, usage
from hornbook.serve.shelf import Served
from hornbook.serve.tool_calls import Tagged
from tests.serve.served import decoder

SERVED = Served("a", decoder("chatml", length=64), None)
TICKET = Ticket(Request(prompt=[1]))


def log(token: int, value: float = -1.0) -> Any:
    return SimpleNamespace(id=token, log_probability=value, top=[(token, value), (token + 1, float("-inf"))])


def test_a_chat_is_told_whole_and_in_pieces() -> None:
    choice = Choice(0, SERVED, chat=True)
    assert choice.opening("", TICKET)["delta"] == {"role": "assistant", "content": ""}  # type: ignore[index]
    assert choice.take(Piece("Hel", [1], [], None))["delta"] == {"content": "Hel"}
    assert choice.take(Piece("", [], [], None))["delta"] == {}
    assert choice.take(Piece("lo", [2], [], "end"))["finish_reason"] == "stop"
    whole = choice.whole("", TICKET)
    assert whole["message"] == {"role": "assistant", "content": "Hello", "refusal": None}
    assert (whole["finish_reason"], whole["logprobs"]) == ("stop", None)


def test_a_completion_stands_behind_its_echo() -> None:
    choice = Choice(1, SERVED, chat=False)
    assert choice.opening("", TICKET) is None
    assert choice.opening("He", TICKET)["text"] == "He"  # type: ignore[index]
    choice.take(Piece("llo", [1], [], "length"))
    assert choice.whole("He", TICKET) == {"index": 1, "text": "Hello", "logprobs": None, "finish_reason": "length"}


def test_log_probabilities_name_tokens_in_bytes() -> None:
    ids = SERVED.tokenizer.encode("好")
    choice = Choice(0, SERVED, chat=True, logs=[])
    chunk = choice.take(Piece("好", ids, [log(ids[0], -0.5)], "end"))
    (entry,) = chunk["logprobs"]["content"]
    assert bytes(entry["bytes"]) == SERVED.spell(ids[0])
    assert (entry["logprob"], entry["top_logprobs"][1]["logprob"]) == (-0.5, LEAST)
    assert choice.whole("", TICKET)["logprobs"]["content"] == [entry]


def test_a_part_of_a_character_has_a_spelling_of_its_own() -> None:
    (part,) = [token for token in range(SERVED.tokenizer.vocab) if SERVED.spell(token) == b"\xe4"]
    choice = Choice(0, SERVED, chat=True, logs=[])
    (entry,) = choice.take(Piece("", [part], [log(part)], "end"))["logprobs"]["content"]
    assert (entry["token"], entry["bytes"]) == ("bytes:\\xe4", [0xE4])


def test_columns_count_characters() -> None:
    ids = SERVED.tokenizer.encode(" fox old")
    choice = Choice(0, SERVED, chat=False, logs=[])
    for token in ids:
        choice.take(Piece("", [token], [log(token)], None))
    logs = choice.whole("", TICKET)["logprobs"]
    assert "".join(logs["tokens"]) == " fox old"
    assert logs["text_offset"][-1] == len(" fox old") - len(logs["tokens"][-1])
    assert logs["token_logprobs"] == [-1.0] * len(ids)


def test_an_echo_has_the_prompts_columns_in_front() -> None:
    ids = SERVED.tokenizer.encode("the fox")
    ticket = Ticket(Request(prompt=[SERVED.tokenizer.end, *ids], prompt_too=True, top_log_probabilities=1))
    ticket.prompt = [TokenLogProbability(token, -0.5, ((token, -0.5),)) for token in ids]
    choice = Choice(0, SERVED, chat=False, logs=[])
    choice.take(Piece(" old", [7], [log(7)], "length"))
    logs = choice.whole("the fox", ticket)["logprobs"]
    assert logs["token_logprobs"] == [None] + [-0.5] * len(ids) + [-1.0]
    assert logs["top_logprobs"][0] is None
    assert logs["tokens"][0] == "<|endoftext|>"
    assert logs["text_offset"][:2] == [0, 0], "the mark in front is not in the text"
    assert logs["text_offset"][-1] == len("the fox")
    assert choice.opening("the fox", ticket)["logprobs"]["tokens"] == logs["tokens"][:-1]  # type: ignore[index]


def test_the_best_answer_has_the_likeliest_tokens() -> None:
    short, long = Choice(0, SERVED, chat=False), Choice(1, SERVED, chat=False)
    short.take(Piece("a", [1], [log(1, -1.0)], "end"))
    for value in (-0.5, -1.0):
        long.take(Piece("a", [1], [log(1, value)], None))
    assert (short.mean, long.mean) == (-1.0, -0.75)
    assert Choice(0, SERVED, chat=False).mean == 0


def test_calls_are_told_beside_the_text() -> None:
    choice = Choice(0, SERVED, chat=True, tools=Tagged())
    assert choice.take(Piece('Well <tool_call>{"name": "f"}', [1], [], None))["delta"] == {"content": "Well "}
    chunk = choice.take(Piece("</tool_call>", [2], [], "end"))
    assert chunk["delta"]["tool_calls"][0]["index"] == 0
    assert chunk["finish_reason"] == "tool_calls"
    message = choice.whole("", TICKET)["message"]
    assert message["content"] == "Well "
    assert "index" not in message["tool_calls"][0]


def test_a_prompt_with_several_answers_counts_once() -> None:
    tickets: Any = [SimpleNamespace(usage=SimpleNamespace(prompt=5, cached=4, new=new)) for new in (3, 4)]
    assert usage(tickets, 5) == {
        "prompt_tokens": 5,
        "completion_tokens": 7,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def test_names_are_never_the_same() -> None:
    first, second = (Head.new("chatcmpl", "chat.completion", "a") for _ in range(2))
    assert first.id != second.id
    assert "usage" not in first.whole([], None)
    assert first.whole([], {})["usage"] == {}


@pytest.mark.parametrize("reason", ["end", "stop", "length", "cancelled"])
def test_every_reason_has_a_word(reason: Any) -> None:
    assert Choice(0, SERVED, chat=True).take(Piece("", [], [], reason))["finish_reason"] in ("stop", "length")
