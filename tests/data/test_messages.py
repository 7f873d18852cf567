"""Columns to messages: OpenAI's words, ShareGPT's and transcripts; what nobody says or no text holds is refused."""

from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.data.messages import answer_of, message, messages_of, prompt_of, renamed, transcript

PLACE = "a.jsonl:7"


@pytest.mark.parametrize(
    ("given", "role", "content"),
    [
        ({"role": "user", "content": "Hi"}, "user", "Hi"),
        ({"from": "human", "value": "你好"}, "user", "你好"),
        ({"from": "gpt", "value": "Hi"}, "assistant", "Hi"),
        ({"role": "developer", "content": "Be kind."}, "system", "Be kind."),
        ({"role": "system", "content": ""}, "system", ""),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            "user",
            "ab",
        ),
        ({"role": "assistant", "content": "x", "tool_calls": None, "name": "bot"}, "assistant", "x"),
    ],
)
def test_a_message_in_anyones_words(given: Any, role: str, content: str) -> None:
    assert message(given, PLACE, 1) == {"role": role, "content": content}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Hi", 'is a text; write {"role": "user", "content": "..."}'),
        ({"content": "Hi"}, ": role None is not one of user, assistant, system; fix the row"),
        ({"role": "narrator", "content": "Hi"}, ": role 'narrator' is not one of user, assistant, system; fix the row"),
        ({"role": "user", "content": None}, ": its content is null, not a text; fix the row or take it out"),
        ({"role": "assistant", "content": " \n"}, ": the assistant says nothing; give a text, or take the row out"),
        ({"role": "tool", "content": "4"}, "calls a tool, which a conversation here cannot hold; take the row out, or"),
        ({"role": "assistant", "content": None, "tool_calls": [{}]}, "calls a tool, which a conversation here cannot"),
        ({"from": "function_call", "value": "{}"}, "calls a tool, which a conversation here cannot hold"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
            "holds a part of type 'image_url'; only text can be learnt from here",
        ),
    ],
)
def test_what_is_no_message_is_refused_with_row_and_number(given: Any, said: str) -> None:
    with pytest.raises(UserError) as caught:
        message(given, PLACE, 2)
    assert str(caught.value).startswith(f"{PLACE}: message 2")
    assert said in str(caught.value)


def test_an_empty_system_message_is_none() -> None:
    turns = [{"from": "system", "value": ""}, {"from": "human", "value": "Hi"}]
    assert messages_of({"id": PLACE, "m": turns}, "m") == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(("given", "said"), [([], "an empty list"), ("Hi", "a text"), (None, "null")])
def test_a_column_without_messages(given: Any, said: str) -> None:
    with pytest.raises(UserError, match=f"^{PLACE}: m is {said}, not a list of messages"):
        messages_of({"id": PLACE, "m": given}, "m")


def test_a_transcript_keeps_what_only_looks_like_a_turn() -> None:
    told = "\n\nHuman: Say 'Human: no'\nAssistant: or not\n\nAssistant: A\n\nB\n\nHuman: Thanks\n\nAssistant:  Bye "
    assert transcript(told, PLACE) == [
        {"role": "user", "content": "Say 'Human: no'\nAssistant: or not"},
        {"role": "assistant", "content": "A\n\nB"},
        {"role": "user", "content": "Thanks"},
        {"role": "assistant", "content": "Bye"},
    ]


@pytest.mark.parametrize("told", ["Human: Hi", "Hello\n\nHuman: Hi\n\nAssistant: Ho", ""])
def test_a_transcript_that_begins_elsewhere(told: str) -> None:
    with pytest.raises(UserError, match=f"^{PLACE}: a transcript begins with two line ends and 'Human:'"):
        transcript(told, PLACE)


def test_a_prompt_is_a_text_a_transcript_or_messages() -> None:
    asked = {"role": "user", "content": "Hi"}
    for prompt in ("Hi", "\n\nHuman: Hi\n\nAssistant:", [asked]):
        assert prompt_of({"id": PLACE, "prompt": prompt}) == [asked]
    assert prompt_of({"id": PLACE, "prompt": "Hi", "system": "Be kind."})[0]["role"] == "system"
    with pytest.raises(UserError, match=f"^{PLACE}: prompt is a number, not a text"):
        prompt_of({"id": PLACE, "prompt": 3})


def test_an_answer_is_a_text_a_message_or_messages() -> None:
    said = {"role": "assistant", "content": "Ho"}
    for answer in ("Ho", {"from": "gpt", "value": "Ho"}, [said]):
        assert answer_of({"id": PLACE, "chosen": answer}, "chosen") == [said]


def test_columns_are_renamed_and_a_column_of_hornbooks_name_gives_way() -> None:
    row = {"id": PLACE, "question": "q", "answer": "a", "prompt": "old", "more": 1}
    assert renamed(row, {"prompt": "question", "completion": "answer"}) == {
        "id": PLACE,
        "prompt": "q",
        "completion": "a",
        "more": 1,
    }
    assert renamed({"id": PLACE, "a": 1}, {"b": "a", "c": "a"}) == {"id": PLACE, "b": 1, "c": 1}
    with pytest.raises(
        UserError, match=r"no column 'anser' \(did you mean 'answer'\?\); it has question, answer, prompt"
    ):
        renamed(row, {"completion": "anser"})
