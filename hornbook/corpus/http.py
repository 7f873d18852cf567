"""The answer of a web server, as an archive keeps it: status, headers and what was sent.

Some archives keep the bytes as they came (in chunks, packed), others undo that and leave the headers as they were, so
both are believed only as far as the bytes agree. What is packed unpacks to a bounded size.
"""

import zlib
from dataclasses import dataclass

from hornbook.corpus.html import PAGE_BYTES

HEX = b"0123456789abcdefABCDEF"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer."""

    status: int
    headers: dict[str, str]
    """By their names in small letters."""
    body: bytes

    @property
    def kind(self) -> str:
        """`text/html`; empty where the server did not say."""
        return media_type(self.headers.get("content-type", ""))[0]

    @property
    def charset(self) -> str | None:
        """The encoding that the server named."""
        return media_type(self.headers.get("content-type", ""))[1]


def parse(data: bytes) -> Response:
    """The answer in some bytes; ValueError where they are none.

    >>> parse(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/html; charset=gbk\\r\\n\\r\\n<p>").charset
    'gbk'
    """
    head, body = split_head(data)
    first, *lines = head.split(b"\n")
    words = first.split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ValueError("no answer of a web server")
    answer = Response(int(words[1]), headers(lines), body)
    if "chunked" in answer.headers.get("transfer-encoding", "").lower():
        body = joined(body)
    return Response(answer.status, answer.headers, unpacked(body, answer.headers.get("content-encoding", "")))


def split_head(data: bytes) -> tuple[bytes, bytes]:
    """What stands before the first empty line, and what after it."""
    ends = [(place, len(end)) for end in (b"\r\n\r\n", b"\n\n") if (place := data.find(end)) >= 0]
    place, length = min(ends, default=(len(data), 0))
    return data[:place], data[place + length :]


def headers(lines: list[bytes]) -> dict[str, str]:
    """Name and value of header lines; a line that begins with white space goes on with the one before."""
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r")
        if text[:1] in (" ", "\t") and name:
            found[name] += " " + text.strip()
        else:
            name, colon, value = text.partition(":")
            name = name.strip().lower() if colon else ""
            if name:
                found[name] = value.strip()
    return found


def media_type(value: str) -> tuple[str, str | None]:
    """Kind and charset of a Content-Type.

    >>> media_type('Text/HTML; Charset="UTF-8"')
    ('text/html', 'UTF-8')
    """
    kind, *parameters = value.split(";")
    named = (parameter.partition("=") for parameter in parameters)
    charset = [value.strip(" \"'") for name, _, value in named if name.strip().lower() == "charset"]
    return kind.strip().lower(), charset[0] if charset and charset[0] else None


def joined(body: bytes) -> bytes:
    """A body sent in chunks, in one; one that is no chunks, or was joined already, as it is."""
    parts: list[bytes] = []
    place = 0
    while (end := body.find(b"\n", place, place + 1_024)) >= 0:
        size = body[place:end].partition(b";")[0].strip()
        if not size or size.strip(HEX) or len(size) > 8:
            return body if place == 0 else b"".join(parts)
        length = int(size, 16)
        if length == 0:
            return b"".join(parts)
        parts.append(body[end + 1 : end + 1 + length])
        place = end + 1 + length
        place += 2 if body[place : place + 2] == b"\r\n" else 1
    return b"".join(parts) or body


def unpacked(body: bytes, how: str) -> bytes:
    """A body unpacked up to just over the size of the largest page; ValueError where it is damaged."""
    how, body_starts = how.strip().lower(), body[:2]
    try:
        if how in ("gzip", "x-gzip") and body_starts == b"\x1f\x8b":
            return zlib.decompressobj(31).decompress(body, PAGE_BYTES + 1)
        if how == "deflate" and body:
            with_header = body[0] & 15 == 8 and int.from_bytes(body_starts, "big") % 31 == 0
            return zlib.decompressobj(15 if with_header else -15).decompress(body, PAGE_BYTES + 1)
        if how == "br" and not body.lstrip().startswith(b"<"):
            return _brotli(body)
    except zlib.error as error:
        raise ValueError(f"a page that cannot be unpacked ({str(error).rpartition(': ')[2]})") from None
    return body


def _brotli(body: bytes) -> bytes:
    try:
        import brotli
    except ImportError:
        raise ValueError("packed with brotli; pip install 'hornbook[web]' to have it unpacked") from None
    unpack, text = brotli.Decompressor(), b""
    try:
        while len(text) <= PAGE_BYTES and (part := unpack.process(body, output_buffer_limit=1 << 20)):
            text, body = text + part, b""
    except brotli.error:
        raise ValueError("a page that cannot be unpacked (brotli)") from None
    return text
