"""OpenAI's error body: which status is which type, and what pydantic finds as one sentence."""

import pytest

from hornbook.core.errors import UserError
from hornbook.serve.errors import Refused, invalid, refusal


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (503, "server_error"),
    ],
)
def test_a_status_has_its_type(status: int, kind: str) -> None:
    body = Refused("no", status, code="some", param="n").body
    assert body == {"error": {"message": "no", "type": kind, "param": "n", "code": "some"}}


def test_when_to_come_back_is_a_header() -> None:
    assert Refused("full", 429, retry=0.2).headers == {"Retry-After": "1"}
    assert Refused("who", 401).headers == {"WWW-Authenticate": "Bearer"}


def test_a_sentence_of_ours_names_its_field() -> None:
    assert refusal(UserError("top_p: 3 is not a share"), ["top_p"]).param == "top_p"
    assert refusal(UserError("chat template: refuses"), ["top_p"]).param is None


@pytest.mark.parametrize(
    ("error", "sentence", "param"),
    [
        ({"loc": ("body", "n"), "msg": "Input should be 1", "type": "x"}, "n: Input should be 1", "n"),
        ({"loc": ("body", "messages", 2, "role"), "msg": "bad", "type": "x"}, "messages[2].role: bad", "messages"),
        ({"loc": ("body",), "msg": "Value error, stop: too many", "type": "value_error"}, "stop: too many", "stop"),
        ({"loc": ("body",), "msg": "x", "type": "missing"}, "the body must be a JSON object", None),
        (
            {"loc": ("body", 7), "msg": "x", "type": "json_invalid", "ctx": {"error": "Expecting value"}},
            "the body is not valid JSON (Expecting value at character 7)",
            None,
        ),
    ],
)
def test_the_first_fault_is_a_sentence(error: dict[str, object], sentence: str, param: str | None) -> None:
    said = invalid([error])
    assert said.message.startswith(sentence)
    assert (said.param, said.status) == (param, 400)
