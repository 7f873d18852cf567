"""The records of an archive: a head that says how long the body is, a body, the next record.

A head that cannot be read, or a length that does not lead to the next record, costs one record: what follows the damage
and begins like a record is the next one. Records are held one at a time, longer ones than any page are passed over.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hornbook.corpus.packed import PACKED, Damaged, Members, open_packed

HEAD_BYTES = 1 << 16  # a longer head is none
RECORD_BYTES = 16_100_000  # the largest page (html.py) and the server's head
BLOCK = 1 << 16
FIRST_BYTES = 4_096  # heads are rarely longer
LINE_ENDS = b"\r\n"
RECORD_END = b"\r\n\r\n"  # what follows may be damaged, but this record is not

Fault = Callable[[str, str], None]
"""Told of the place in the archive and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record."""

    place: str
    """Byte of the file; in a packed file with several records in a member, the member's byte and `+` its own."""
    headers: dict[str, str]
    """As in a WARC, by their names in small letters."""
    body: bytes


@dataclass(frozen=True)
class Format:
    """How a kind of archive writes the head of a record."""

    name: str
    start: re.Pattern[bytes]
    """The first line of a head and the line end before it."""
    head_end: re.Pattern[bytes]
    headers: Callable[[bytes], dict[str, str]]
    """What a head says, with `content-length`."""


class Window:
    """Some bytes of an archive as they come, that can be looked at before they are taken."""

    def __init__(self, read: Callable[[int], bytes], start: int, *, packed: bool) -> None:
        self._read, self._start, self._packed = read, start, packed
        self._buffer, self._at, self._position = b"", 0, 0

    @property
    def place(self) -> str:
        """Where the next byte stands."""
        if not self._packed:
            return str(self._start + self._position)
        return f"{self._start}+{self._position}" if self._position else str(self._start)

    def ahead(self, size: int) -> bytes:
        """The next bytes, fewer only at the end."""
        while len(self._buffer) - self._at < size:
            data = self._read(max(BLOCK, size - len(self._buffer) + self._at))
            if not data:
                break
            self._buffer, self._at = self._buffer[self._at :] + data, 0
        return self._buffer[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """The next bytes; go on behind them."""
        data = self.ahead(size)
        self._at += len(data)
        self._position += len(data)
        return data

    def back(self, data: bytes) -> None:
        """Go back to before what was taken last."""
        self._buffer, self._at = data + self._buffer[self._at :], 0
        self._position -= len(data)

    def skip(self, size: int) -> int:
        """Go on behind the next bytes; how many there were."""
        left = size
        while left and (data := self.take(min(left, 1 << 20))):
            left -= len(data)
        return size - left

    def skip_line_ends(self) -> None:
        """Go on to what is no line end."""
        while (data := self.ahead(64)) and data[:1] in LINE_ENDS:
            self.take(len(data) - len(data.lstrip(LINE_ENDS)))

    def seek(self, start: re.Pattern[bytes]) -> bool:
        """Go on to the next match of `start`, less its line end; False at the end of the archive."""
        while data := self.ahead(1 << 20):
            if found := start.search(data):
                self.take(found.start() + 1)
                return True
            self.take(max(len(data) - HEAD_BYTES, 1) if len(data) == 1 << 20 else len(data))
        return False


def records(path: Path, form: Format, fault: Fault) -> Iterator[Record]:
    """Every record that can be read, plain or packed; `fault` is told of the others."""
    for window in _windows(path, fault):
        while True:
            try:
                record = _next(window, form, fault)
            except Damaged as error:
                fault(window.place, f"damaged ({error})")
                break
            if record is None:
                break
            yield record


def _windows(path: Path, fault: Fault) -> Iterator[Window]:
    if path.suffix.lower() != ".gz":
        with open_packed(path) as stream:
            yield Window(stream.read, 0, packed=path.suffix.lower() in PACKED)
        return
    with closing(Members(path)) as members:
        while True:
            try:
                if not members.begin():
                    return
            except Damaged as error:
                fault(str(members.offset), f"damaged ({error})")
            else:
                yield Window(members.read, members.offset, packed=True)


def _next(window: Window, form: Format, fault: Fault) -> Record | None:
    """The next record that is whole, None at the end of the window."""
    while True:
        window.skip_line_ends()
        if not window.ahead(1):
            return None
        place = window.place
        head = _head(window, form)
        try:
            headers = form.headers(head)
            length = _length(headers)
        except ValueError as error:
            fault(place, str(error))
            window.take(1)
        else:
            window.take(len(head))
            if (body := _body(window, form, length)) is not None:
                return Record(place, headers, body)
            fault(place, _what_is_wrong(window, length))
            if length <= RECORD_BYTES:
                window.back(head)
                window.take(1)
        if not window.seek(form.start):
            return None


def _head(window: Window, form: Format) -> bytes:
    """The head of the record here, empty where there is none."""
    for size in (FIRST_BYTES, HEAD_BYTES):
        data = window.ahead(size)
        if not form.start.match(b"\n" + data[:HEAD_BYTES]):
            return b""
        if end := form.head_end.search(data):
            return data[: end.end()]
    return b""


def _length(headers: dict[str, str]) -> int:
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()) or len(length) > 18:
        raise ValueError(f"Content-Length {length[:20]!r} is no number of bytes")
    return int(length)


def _body(window: Window, form: Format, length: int) -> bytes | None:
    """The body, if it has this length and a record ends behind it; else the window is as it was."""
    if length > RECORD_BYTES:
        return None
    body = window.take(length)
    if len(body) == length:
        behind = window.ahead(FIRST_BYTES)
        following = behind.lstrip(LINE_ENDS)
        begins = len(following) < len(behind) and form.start.match(b"\n" + following)
        if begins or not following or behind.startswith(RECORD_END):
            return body
    window.back(body)
    return None


def _what_is_wrong(window: Window, length: int) -> str:
    if length > RECORD_BYTES:
        there = window.skip(length)
        return f"a record of {length} bytes, over {RECORD_BYTES}" if there == length else f"cut short at {there} bytes"
    there = len(window.ahead(length))
    return f"cut short: {there} of {length} bytes" if there < length else f"does not end after its {length} bytes"
