"""OpenAI's error body, with the status that says the same: {"error": {"message", "type", "param", "code"}}.

What a client did wrong is one sentence: the field, the value, the fix. A sentence of ours that begins with the name of
a field ("top_p: 3 is not a share") names it as `param`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError

from hornbook.core.errors import UserError
from hornbook.serve.wire import Json

KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
FIELD = re.compile(r"([a-z_]+)(?=: )")
LONGEST = 300  # characters of a client's own value that are said back


class Refused(Exception):
    """A request that is not answered; `status` and the body say why."""

    def __init__(self, message: str, status: int = 400, *, code: str | None = None, **more: Any) -> None:
        """more: `param`, the field that is wrong; `retry`, seconds after which it may be asked again."""
        super().__init__(message)
        self.message, self.status, self.code = message, status, code
        self.param: str | None = more.get("param")
        self.retry: float | None = more.get("retry")

    @property
    def body(self) -> dict[str, Any]:
        """What OpenAI's clients read."""
        kind = KINDS.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    @property
    def headers(self) -> dict[str, str]:
        """When to come back, and how to be let in."""
        wait = {} if self.retry is None else {"Retry-After": str(max(1, round(self.retry)))}
        return wait | ({"WWW-Authenticate": "Bearer"} if self.status == 401 else {})

    @property
    def response(self) -> Json:
        """The whole answer."""
        return Json(self.body, self.status, self.headers)


def refusal(error: UserError, fields: Sequence[str] = ()) -> Refused:
    """A sentence of ours as a 400."""
    sentence = str(error)
    named = FIELD.match(sentence)
    return Refused(sentence, param=named[1] if named and named[1] in fields else None)


def invalid(errors: Sequence[Mapping[str, Any]]) -> Refused:
    """What pydantic found, as one sentence about the first of it.

    >>> invalid([{"loc": ("body", "messages", 0, "role"), "msg": "Field required", "type": "missing"}]).message
    'messages[0].role: Field required'
    """
    first = errors[0]
    if first["type"] == "json_invalid":
        why = first.get("ctx", {}).get("error", "")
        return Refused(f"the body is not valid JSON ({why} at character {first['loc'][-1]})", code="invalid_json")
    said, place = str(first["msg"]).removeprefix("Value error, "), [part for part in first["loc"] if part != "body"]
    if first["type"] == "value_error":  # a sentence of ours, about the object at `place`
        named = FIELD.match(said)
        return Refused(said[:LONGEST], param=named[1] if named else None)
    if not place:
        return Refused("the body must be a JSON object, sent with Content-Type: application/json")
    words = [part for part in place if isinstance(part, int) or re.fullmatch(r"[a-z_]+", part)]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in words).lstrip(".")
    return Refused(f"{name}: {said}"[:LONGEST], param=str(place[0]))


def install(app: FastAPI) -> None:
    """Let every error of an app be said in this form."""
    handlers: dict[Any, Any] = {Refused: _refused, UserError: _mistaken, RequestValidationError: _unreadable}
    handlers |= {400: _not_text, 404: _unknown, 405: _method, Exception: _broken}
    for what, handler in handlers.items():
        app.add_exception_handler(what, handler)


async def _refused(_: Request, error: Refused) -> Json:
    return error.response


async def _mistaken(_: Request, error: UserError) -> Json:
    return refusal(error).response


async def _unreadable(_: Request, error: RequestValidationError) -> Json:
    return invalid(error.errors()).response


async def _not_text(_: Request, __: Exception) -> Json:
    return Refused("the body is not valid UTF-8 JSON; send UTF-8", code="invalid_json").response


async def _unknown(request: Request, _: Exception) -> Json:
    return Refused(f"{request.url.path}: there is nothing here; see GET /v1/models", 404, code="not_found").response


async def _method(request: Request, error: Exception) -> Json:
    sentence = f"{request.url.path}: {request.method} is not answered here"
    answer = Refused(sentence, 405, code="method_not_allowed").response
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


async def _broken(_: Request, __: Exception) -> Json:
    return Refused("the server made a mistake; its log says which", 500, code="internal_error").response
