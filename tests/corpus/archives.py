"""Made-up web archives for tests: records, pages and whole files, good ones and broken ones."""

import gzip
from pathlib import Path

PROSE = (
    "The harbour wakes before the town does. Boats that went out in the dark come back with the first light, and the "
    "women who mend the nets are at the long tables already, with coffee and with news of the night."
)
MENU = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/about'>About us</a></li></ul></nav>"


def page(number: int = 0, *, head: str = "") -> str:
    """A page with a menu, four paragraphs of prose that differ by the number, and a footer."""
    paragraphs = "".join(f"<p>Part {part} of story {number}. {PROSE}</p>" for part in range(4))
    return (
        f"<!DOCTYPE html><html><head>{head}<title>Story {number}</title></head><body>{MENU}"
        f"<article><h1>Story {number}</h1>{paragraphs}</article><footer>Copyright, cookies</footer></body></html>"
    )


def response(body: bytes, headers: str = "Content-Type: text/html; charset=utf-8", status: str = "200 OK") -> bytes:
    """What a server sends."""
    return f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode() + body


def record(body: bytes, *, kind: str = "response", headers: str = "", length: int | str | None = None) -> bytes:
    """A record; `length` lies about the body's."""
    media = {"response": "application/http; msgtype=response", "conversion": "text/plain"}.get(kind, "text/html")
    said = len(body) if length is None else length
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: {media}\r\n{headers}Content-Length: {said}\r\n\r\n"
    return head.encode() + body + b"\r\n\r\n"


def story(number: int) -> bytes:
    """A record with a page and its address."""
    address = f"WARC-Target-URI: https://example.org/{number}\r\n"
    return record(response(page(number).encode()), headers=address)


def write(path: Path, records: list[bytes]) -> Path:
    """A file of records, each packed by itself where the name ends in .gz."""
    path.write_bytes(b"".join(map(gzip.compress, records) if path.suffix == ".gz" else records))
    return path
