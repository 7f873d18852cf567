"""Packed files, unpacked as they are read: gzip member by member, zstd; what is damaged is passed over.

A WARC is packed record by record, other files are often several gzip files in a row. After a damaged member the next
one is looked for, so one bad sector costs a few lines and not the rest of the file. What unpacks to far more than text
ever does is a trap, and is given up.
"""

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

PACKED = (".gz", ".zst")
BLOCK = 1 << 16
HALF_BYTES = 1 << 20  # a longer line is not held back
BOMB_BYTES = 256_000_000  # whatever a file unpacks to up to here is no danger
BOMB_RATIO = 200  # web pages pack 4 to 20 times; what was made to fill a disk 1000 times
MAGIC = b"\x1f\x8b\x08"
Fault = Callable[[int, str], None]
"""Told of damage: the byte of the packed file and what is wrong there."""


class Damaged(OSError):
    """Packed data that cannot be unpacked any further."""


def open_packed(path: Path, fault: Fault | None = None) -> BinaryIO:
    """A file's bytes, unpacked as they are read.

    With `fault`, damage in a .gz is told to it and reading goes on with the next member and a new line; without, it is
    an OSError, EOFError or zlib.error.
    """
    match path.suffix.lower():
        case ".gz" if fault is not None:
            return io.BufferedReader(Lines(path, fault), BLOCK)
        case ".gz":
            return io.BufferedReader(Bounded(gzip.open(path), path), BLOCK)
        case ".zst":
            return io.BufferedReader(Bounded(pa.input_stream(str(path), compression="zstd"), path), BLOCK)
        case _:
            return path.open("rb")


def most_bytes(path: Path) -> int:
    """To how many bytes a packed file may unpack."""
    return max(BOMB_BYTES, BOMB_RATIO * path.stat().st_size)


class Bounded(io.RawIOBase):
    """An unpacked stream that raises Damaged where it becomes longer than any text."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, path: Path) -> None:
        self._stream, self._left = stream, most_bytes(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # typeshed: any writable buffer
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise Damaged(f"unpacks to more than {BOMB_RATIO} times its size")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


class Members:
    """The members of a gzip file, one after the other.

    `begin` goes to the next one and `read` gives its bytes; a member that is left early is skipped.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._waiting = b""  # read from the file and not unpacked yet
        self._end = 0  # byte of the file up to which it was read
        self._unpack: zlib._Decompress | None = None
        self._left = most_bytes(path)
        self.offset = 0
        """Where the member begins in the file."""

    def begin(self) -> bool:
        """Go to the next member; False at the end of the file. Damaged, if the one before it is; then call again."""
        while self._unpack is not None and self.read(1 << 20):
            pass
        self._fill(len(MAGIC))
        while self._waiting.startswith(b"\0") and not self._waiting.strip(b"\0"):  # padding, as tapes have it
            self._waiting = b""
            self._fill(len(MAGIC))
        if not self._waiting:
            return False
        self.offset = self._end - len(self._waiting)
        self._unpack = zlib.decompressobj(wbits=31)
        return True

    def read(self, size: int) -> bytes:
        """At most `size` bytes, at least one before the end of the member; Damaged where there are none to be had."""
        while self._unpack is not None:
            self._fill(1)
            if not self._waiting:
                self._unpack = None
                raise Damaged("cut short")
            try:
                data = self._unpack.decompress(self._waiting, size)
            except zlib.error as error:
                self._find_next()
                raise Damaged(str(error).rpartition(": ")[2]) from None
            self._waiting = self._unpack.unconsumed_tail or self._unpack.unused_data
            if self._unpack.eof:
                self._unpack = None
            self._left -= len(data)
            if self._left < 0:
                self._unpack, self._waiting = None, b""
                self._file.seek(0, io.SEEK_END)
                raise Damaged(f"unpacks to more than {BOMB_RATIO} times its size")
            if data:
                return data
        return b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _fill(self, size: int) -> None:
        """Have some bytes waiting, unless the file ends."""
        if len(self._waiting) < size and (data := self._file.read(BLOCK)):
            self._waiting += data
            self._end += len(data)

    def _find_next(self) -> None:
        """Throw away what waits up to what looks like the beginning of a member after the damaged one."""
        self._unpack, start = None, self._end - len(self._waiting)
        self._waiting = self._waiting[1:] if start <= self.offset else self._waiting
        while (place := self._waiting.find(MAGIC)) < 0:
            self._waiting = self._waiting[-len(MAGIC) + 1 :]
            before = len(self._waiting)
            self._fill(before + 1)
            if len(self._waiting) == before:
                self._waiting = b""
                return
        self._waiting = self._waiting[place:]


class Lines(io.RawIOBase):
    """The lines of a gzip file's members in a row; damage is told, and the line that it cuts is left out."""

    def __init__(self, path: Path, fault: Fault) -> None:
        self._members, self._fault = Members(path), fault
        self._open = False
        self._ready = b""
        self._half = b""  # the beginning of a line, held back until more of it comes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # typeshed: any writable buffer
        while not self._ready and self._more():
            pass
        data, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def _more(self) -> bool:
        """Have more lines ready, or some step nearer to it; False at the end of the file."""
        try:
            if not self._open and not self._members.begin():
                self._ready, self._half = self._half, b""
                return False
            data = self._half + self._members.read(BLOCK)
        except Damaged as error:
            self._fault(self._members.offset, str(error))
            self._open, self._ready, self._half = False, b"\n", b""
            return True
        self._open = len(data) > len(self._half)
        cut = len(data) if len(data) > HALF_BYTES else data.rfind(b"\n") + 1
        self._ready, self._half = data[:cut], data[cut:]
        return True

    def close(self) -> None:
        self._members.close()
        super().close()
