"""Protocol Buffers on the wire: just enough of them to read and write SentencePiece's `.model` files.

A message is a row of fields, each a number, a wire type and a value: a varint, 8 bytes, a length and so many bytes, or
4 bytes (protobuf.dev, "Encoding"). What a number means is the caller's business: there is no schema here, and groups,
which nobody has written since 2008, are left out.
"""

import struct
from collections.abc import Iterator
from typing import TypeAlias

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5  # wire types
WIDTH = {EIGHT: 8, FOUR: 4}

Field: TypeAlias = "tuple[int, int | bytes]"  # number, and the varint or the bytes


def fields(data: bytes) -> Iterator[Field]:
    """The fields of a message, in order; ValueError where it breaks off or is no message.

    >>> list(fields(bytes([0x08, 0x96, 0x01, 0x12, 0x02]) + b"hi"))
    [(1, 150), (2, b'hi')]
    """
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if number == 0 or wire not in (VARINT, EIGHT, BYTES, FOUR):
            raise ValueError(f"byte {place - 1} begins no field")
        if wire == VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        size = WIDTH.get(wire)
        if size is None:
            size, place = _varint(data, place)
        if place + size > len(data):
            raise ValueError(
                f"field {number} wants {size} bytes at byte {place}, but only {len(data) - place} are left"
            )
        yield number, data[place : place + size]
        place += size


def number_field(number: int, value: int) -> bytes:
    """A field that holds a whole number, a yes or no, or a choice.

    >>> number_field(1, 150).hex()
    '089601'
    """
    return _varint_bytes(number << 3 | VARINT) + _varint_bytes(value & 0xFFFFFFFFFFFFFFFF)


def bytes_field(number: int, value: bytes) -> bytes:
    """A field that holds bytes, a text in UTF-8, or a message."""
    return _varint_bytes(number << 3 | BYTES) + _varint_bytes(len(value)) + value


def float_field(number: int, value: float) -> bytes:
    """A field that holds a number of 32 bits."""
    return _varint_bytes(number << 3 | FOUR) + struct.pack("<f", value)


def signed(value: int) -> int:
    """A varint as the negative number it may stand for.

    >>> signed(150), signed(0xFFFFFFFFFFFFFFFF)
    (150, -1)
    """
    return value - (1 << 64) if value >> 63 else value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number in steps of seven bits, the low ones first, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ValueError(f"it breaks off inside a number at byte {place}")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError(f"the number at byte {place - 10} does not end")


def _varint_bytes(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
