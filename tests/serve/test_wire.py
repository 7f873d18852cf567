"""JSON over the wire."""

import json

from hornbook.serve.wire import Json, encoded, event


def test_every_language_is_readable_and_half_a_character_is_no_error() -> None:
    assert encoded({"a": "你好🌍"}) == '{"a":"你好🌍"}'.encode()
    assert encoded("\ud83c") == b'"?"'


def test_an_event_is_one_line_of_json() -> None:
    said = event({"a": "x\n\ny"})
    assert said.count(b"\n\n") == 1
    assert json.loads(said.removeprefix(b"data: ")) == {"a": "x\n\ny"}


def test_an_answer_is_json() -> None:
    answer = Json({"a": 1}, 201)
    assert (answer.status_code, answer.body, answer.headers["content-type"]) == (201, b'{"a":1}', "application/json")
