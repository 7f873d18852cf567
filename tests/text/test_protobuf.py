"""The wire format against sentencepiece's own protobuf module, by hand, and broken."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.text.protobuf import bytes_field, fields, float_field, number_field, signed


@given(st.integers(1, 1 << 28), st.integers(0, (1 << 64) - 1), st.binary(max_size=300), st.floats(width=32))
def test_what_is_written_is_read(number: int, value: int, data: bytes, real: float) -> None:
    message = number_field(number, value) + bytes_field(number, data) + float_field(number, real)
    (a, b, c) = fields(message)
    assert a == (number, value)
    assert b == (number, data)
    assert struct.pack("<f", struct.unpack("<f", c[1])[0]) == struct.pack("<f", real)  # NaN too


def test_negative_numbers_take_ten_bytes() -> None:
    ((number, value),) = fields(number_field(40, -1))
    assert (number, signed(value), len(number_field(40, -1))) == (40, -1, 12)


def test_the_examples_of_the_specification() -> None:
    assert bytes_field(2, b"testing").hex() == "120774657374696e67"
    assert list(fields(bytes.fromhex("0d00000080"))) == [(1, bytes.fromhex("00000080"))]  # 4 bytes
    assert list(fields(bytes.fromhex("090000000000000080"))) == [(1, bytes.fromhex("0000000000000080"))]  # 8 bytes


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x12\x05hi", "field 2 wants 5 bytes at byte 2, but only 2 are left"),
        (b"\x08", "breaks off inside a number at byte 1"),
        (b"\x08" + b"\xff" * 12, "does not end"),
        (b"\x0b", "byte 0 begins no field"),  # a group
        (b"\x00\x00", "byte 0 begins no field"),
    ],
)
def test_what_is_no_message_is_said(data: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        list(fields(data))
