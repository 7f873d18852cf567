"""Who is let in: names, keys, sizes, rates and slow bodies, with a small app behind the gate."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from hornbook.serve.gate import Gate, Rate, Rules
from hornbook.serve.metrics import Metrics


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says back how many bytes came."""
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(body)).encode()})


def ask(rules: Rules, path: str = "/v1/models", *, parts: tuple[bytes, ...] = (b"",), **headers: str) -> Any:
    """The status, and the body read as JSON."""
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    sent: list[MutableMapping[str, Any]] = []
    waiting = list(parts)

    async def receive() -> MutableMapping[str, Any]:
        if not waiting:
            await asyncio.sleep(10)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or len(parts) > 3}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "POST", "headers": given, "client": ("1.2.3.4", 5)}
    gate = gates.setdefault(rules, Gate(echo, rules, Metrics()))
    asyncio.run(gate(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


gates: dict[Rules, Gate] = {}


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:80"])
def test_this_machine_is_called_by_its_names(host: str) -> None:
    assert ask(Rules(), host=host)[0] == 200


def test_another_name_is_refused_here_and_let_in_elsewhere() -> None:
    assert ask(Rules(), host="evil.example")[0] == 403
    assert ask(Rules(here_only=False), host="evil.example")[0] == 200


def test_a_key_is_asked_for_but_not_by_the_page() -> None:
    rules = Rules(keys=("right", "other"), here_only=False)
    assert ask(rules, authorization="Bearer right")[0] == 200
    assert ask(rules, authorization="Bearer other")[0] == 200
    status, body = ask(rules, authorization="Bearer wröng")
    assert (status, body["error"]["code"], body["error"]["message"]) == (401, "invalid_api_key", "wrong API key")
    assert "no API key" in ask(rules)[1]["error"]["message"]
    assert [ask(rules, path)[0] for path in ("/", "/health", "/page/chat.js", "/metrics")] == [200, 200, 200, 401]


def test_a_body_has_its_bounds() -> None:
    rules = Rules(body_bytes=10, body_seconds=0.05, here_only=False)
    assert ask(rules, parts=(b"12345", b"12345")) == (200, 10)
    assert ask(rules, parts=(b"12345", b"123456"))[0] == 413
    assert ask(rules, content_length="40000000")[0] == 413
    assert ask(rules, parts=(b"1", b"1", b"1", b"1"))[0] == 408


def test_more_than_the_rate_must_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    rate = Rate(3)
    assert [rate.wait("a") for _ in range(3)] == [0, 0, 0]
    assert rate.wait("a") == pytest.approx(20)
    assert rate.wait("b") == 0
    now = 120.0
    assert rate.wait("a") == 0
    assert rate.wait("a") > 0


def test_the_rate_is_a_429_with_a_time() -> None:
    rules = Rules(per_minute=1, here_only=False)
    assert ask(rules)[0] == 200
    assert ask(rules)[0] == 429


def test_every_request_is_counted() -> None:
    rules = Rules(body_bytes=77)
    ask(rules, host="localhost")
    ask(rules, path="/nowhere", host="evil")
    counted = gates[rules].metrics.counts["hornbook_requests_total"]
    assert dict(counted) == {
        (("route", "/v1/models"), ("status", "200")): 1,
        (("route", "other"), ("status", "403")): 1,
    }
    assert gates[rules].metrics.open == 0
