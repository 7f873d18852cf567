import gzip
import zlib

import brotli
import pytest

from hornbook.corpus import http
from hornbook.corpus.http import parse
from tests.corpus.archives import page, response

BODY = page().encode()


def chunked(body: bytes, size: int = 100) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_status_headers_and_body() -> None:
    answer = parse(
        response(BODY, "CONTENT-TYPE: Text/HTML;\r\n charset='GBK'\r\nno colon here\r\nX: a: b", "404 Not Found")
    )
    assert (answer.status, answer.kind, answer.charset, answer.body) == (404, "text/html", "GBK", BODY)
    assert answer.headers["x"] == "a: b"


@pytest.mark.parametrize(
    "body", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 ok\r\n\r\n", b"\xff" * 1_000]
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError, match="no answer of a web server"):
        parse(body)


def test_bare_line_feeds_and_no_body() -> None:
    assert parse(b"HTTP/1.0 200 OK\nContent-Type: text/plain\n\nbody\r\n\r\n").body == b"body\r\n\r\n"
    assert parse(b"HTTP/1.0 200 OK\r\nA: b").body == b""


def test_chunks_are_joined_unless_they_were() -> None:
    headers = "Transfer-Encoding: chunked"
    assert parse(response(chunked(BODY), headers)).body == BODY
    assert parse(response(BODY, headers)).body == BODY
    assert (
        parse(response(chunked(BODY)[:300], headers)).body
        == BODY[: len(parse(response(chunked(BODY)[:300], headers)).body)]
    )


@pytest.mark.parametrize(
    ("how", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("br", brotli.compress),
    ],
)
def test_packed_bodies(how: str, pack: object) -> None:
    assert callable(pack)
    headers = f"Content-Encoding: {how}"
    assert parse(response(pack(BODY), headers)).body == BODY
    assert parse(response(chunked(pack(BODY)), f"Transfer-Encoding: chunked\r\n{headers}")).body == BODY
    if how != "deflate":
        assert parse(response(BODY, headers)).body == BODY  # the archive has unpacked it


@pytest.mark.parametrize("how", ["gzip", "deflate", "br"])
def test_damage_is_said(how: str) -> None:
    damaged = {"gzip": b"\x1f\x8b" + b"\xff" * 50, "deflate": b"\x78\x9c" + b"\xff" * 50, "br": b"\xff" * 50}[how]
    with pytest.raises(ValueError, match="cannot be unpacked"):
        parse(response(damaged, f"Content-Encoding: {how}"))


@pytest.mark.parametrize(
    ("how", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress)]
)
def test_a_bomb_unpacks_to_little_more_than_a_page(how: str, pack: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(pack)
    monkeypatch.setattr(http, "PAGE_BYTES", 100_000)
    body = parse(response(pack(b"<p>" * 3_000_000), f"Content-Encoding: {how}")).body
    assert 100_000 < len(body) <= 100_000 + (2 << 20)
