"""The process: ports, keys, CORS, an end that finishes what was begun, two thousand connections."""

import json
import resource
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.serve.server import address, bound, is_here
from tests.serve.served import ENDLESS, Server, whole

LONG: dict[str, Any] = {"prompt": "a", "max_tokens": 700, **ENDLESS}


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with bound("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(UserError, match=r"cannot be had on 127\.0\.0\.1"):
            bound("127.0.0.1", first.getsockname()[1])
        assert address(first) == f"http://127.0.0.1:{first.getsockname()[1]}"
    with pytest.raises(UserError, match="--port 99999"):
        bound("127.0.0.1", 99_999)


def test_what_is_here() -> None:
    assert [is_here(host) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "10.0.0.1")] == [True] * 3 + [
        False
    ] * 2


def test_sigterm_finishes_what_was_begun(models: dict[str, Path]) -> None:
    with Server(str(models["plain"]), "--slots", "1") as server:
        waiting = [server.begin("/v1/completions", {**LONG, "stream": number == 0}) for number in range(3)]
        server.until(lambda: server.gauge("hornbook_engine_waiting", "plain") == 2)
        code = server.end()
    answers = [whole(each) for each in waiting]
    assert code == 0
    assert answers[0].endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    for answer in answers[1:]:
        said = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert said["usage"]["completion_tokens"] == 700
    assert "every answer that was begun is finished" in server.said


def test_a_key_another_host_and_a_page_from_elsewhere(models: dict[str, Path], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("first-key\nsecond-key\n")
    options = ["--host", "0.0.0.0", "--api-key-file", str(keys), "--origin", "https://a.example"]
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    with Server(str(models["plain"]), *options) as server:
        assert "warning: others reach this server" in server.said
        assert server.get("/v1/models")[0] == 401
        status, body = server.get("/v1/models", Authorization="Bearer wrong")
        assert (status, body["error"]["code"]) == (401, "invalid_api_key")
        assert server.get("/v1/models", Authorization="Bearer second-key", Host="any.example")[0] == 200
        request = urllib.request.Request(f"{server.url}/v1/models", headers=asked, method="OPTIONS")
        with urllib.request.urlopen(request) as answer:
            assert answer.headers["access-control-allow-origin"] == "https://a.example"


@pytest.mark.slow
def test_two_thousand_connections_are_borne(server: Server) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    body = json.dumps({"model": "chatty", "prompt": "a", "max_tokens": 4}).encode()
    head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    opened = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(2000)]
    for each in opened:
        each.sendall(request)
    codes = [whole(each).split()[1] for each in opened]
    assert set(codes) <= {b"200", b"429"}
    assert codes.count(b"200") >= 6
    assert server.get("/health")[0] == 200
    server.until(lambda: server.gauge("hornbook_engine_active", "chatty") == 0)
