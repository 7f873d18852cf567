"""GGUF, the file of llama.cpp: metadata, then the names and types of tensors, then their numbers; read where it lies.

The layout is that of ggml's docs/gguf.md: versions 2 and 3, little endian. Everything is checked before a number is
used. Leaves out big-endian files, arrays of arrays and models split over several files.
"""

import math
import mmap
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import new_file
from hornbook.exchange.gguf_blocks import KINDS, OTHERS, Kind

MAGIC, VERSION, VERSIONS = b"GGUF", 3, (2, 3)
ALIGNMENT = 32  # bytes; where the file does not say general.alignment
MOST_DIMENSIONS = 4  # GGML_MAX_DIMS
STRING, ARRAY, BOOL = 8, 9, 7
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", BOOL: "?", 10: "Q", 11: "q", 12: "d"}
AGAIN = "copy or download it again"

Value = bool | int | float | str | list[str] | list[int] | list[float]


@dataclass(frozen=True)
class Entry:
    """Where a tensor is; `shape` is ours, rows first (the file has it the other way round)."""

    name: str
    shape: tuple[int, ...]
    kind: Kind
    start: int  # bytes from the beginning of the file

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) // self.kind.weights * self.kind.bytes


class GGUF:
    """An open file: `metadata` and `entries` are read, the numbers are only mapped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            if path.stat().st_size < 24:
                raise UserError(f"{path}: too short for a GGUF file; {AGAIN}")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)  # torch wants memory it may write to
        cursor = _Cursor(path, self._map)
        tensors, keys = cursor.header()
        self.metadata: dict[str, Any] = {}
        for number in range(keys):
            cursor.place = f"key {number + 1} of {keys}"
            key = cursor.string()
            cursor.place = f"key {key}"
            self.metadata[key] = cursor.value(cursor.number("I"))
        found = [cursor.tensor(f"tensor {number + 1} of {tensors}") for number in range(tensors)]
        self.entries = self._placed(found, cursor.at)

    def get(self, name: str) -> Tensor:
        """One tensor: F32, F16 and BF16 stay in the file until they are used, blocks become float32."""
        entry = self.entries[name]
        if entry.kind.plain is not None:
            count = math.prod(entry.shape)
            return torch.frombuffer(self._map, dtype=entry.kind.plain, count=count, offset=entry.start).view(
                entry.shape
            )
        tensor = torch.empty(entry.shape)
        entry.kind.dequantize(np.frombuffer(self._map, np.uint8, entry.bytes, entry.start), tensor.view(-1).numpy())
        self._release(entry)
        return tensor

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: entry.shape for name, entry in self.entries.items()}

    def _placed(self, found: list[Entry], end: int) -> dict[str, Entry]:
        """The tensors by name, their places counted from the beginning of the file and known to be in it."""
        alignment = self.metadata.get("general.alignment", ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 8 or alignment % 8:
            raise UserError(f"{self.path}: general.alignment is {alignment!r}, not a multiple of 8; {AGAIN}")
        data = -(-end // alignment) * alignment
        entries: dict[str, Entry] = {}
        for entry in found:
            placed = Entry(entry.name, entry.shape, entry.kind, data + entry.start)
            if entry.name in entries:
                raise UserError(f"{self.path}: tensor {entry.name} is in it twice; {AGAIN}")
            if entry.start % alignment:
                raise UserError(f"{self.path}: tensor {entry.name} begins at {entry.start}, off its place; {AGAIN}")
            if placed.start + placed.bytes > len(self._map):
                raise UserError(
                    f"{self.path}: truncated: tensor {entry.name} ends at byte {placed.start + placed.bytes} "
                    f"of {len(self._map)}; {AGAIN}"
                )
            entries[entry.name] = placed
        return entries

    def _release(self, entry: Entry) -> None:
        """Give back the memory of pages whose numbers are now elsewhere, so that a load costs its result once."""
        first = -(-entry.start // mmap.PAGESIZE) * mmap.PAGESIZE
        length = (entry.start + entry.bytes - first) // mmap.PAGESIZE * mmap.PAGESIZE
        if sys.platform != "win32" and length > 0:
            self._map.madvise(mmap.MADV_DONTNEED, first, length)


class _Cursor:
    """A place in the file, from which the next value is read; `place` names it in errors."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path, self.data, self.at, self.place = path, data, 0, "its header"

    def header(self) -> tuple[int, int]:
        """The number of tensors and of keys, both possible in a file of this size."""
        if self.data[:4] != MAGIC:
            raise UserError(f"{self.path}: no GGUF file (it begins with {self.data[:4]!r}); give one that is")
        self.at = 4
        version = self.number("I")
        if version not in VERSIONS:
            big = version & 0xFFFF == 0
            known = "little-endian ones" if big else "versions 2 and 3"
            raise UserError(
                f"{self.path}: {'big-endian' if big else f'GGUF version {version}'}; "
                f"only {known} are read: convert the model again"
            )
        tensors, keys = self.number("Q"), self.number("Q")
        self.room(tensors, 24, "tensors")  # an empty name, one dimension, a type, a place
        self.room(keys, 13, "keys")
        return tensors, keys

    def number(self, code: str) -> Any:
        try:
            (value,) = struct.unpack_from(f"<{code}", self.data, self.at)
        except struct.error:
            raise UserError(f"{self.path}: truncated in {self.place}; {AGAIN}") from None
        self.at += struct.calcsize(f"<{code}")
        return value

    def string(self) -> str:
        size = self.number("Q")
        self.room(size, 1, "characters")
        self.at += size
        try:
            return self.data[self.at - size : self.at].decode()
        except UnicodeDecodeError:
            raise UserError(f"{self.path}: {self.place} is not UTF-8; {AGAIN}") from None

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            return self.array()
        if kind not in NUMBERS:
            raise UserError(f"{self.path}: {self.place} has a value of unknown type {kind}; {AGAIN}")
        number = self.number(NUMBERS[kind])
        return float(str(np.float32(number))) if NUMBERS[kind] == "f" else number  # 1e-5 stays 1e-5

    def array(self) -> list[Any]:
        kind, count = self.number("I"), self.number("Q")
        if kind == STRING:
            self.room(count, 8, "strings")
            return [self.string() for _ in range(count)]
        if kind not in NUMBERS:
            raise UserError(f"{self.path}: {self.place} is an array of unknown type {kind}; {AGAIN}")
        size = struct.calcsize(f"<{NUMBERS[kind]}")
        self.room(count, size, "numbers")
        self.at += count * size
        return list(struct.unpack_from(f"<{count}{NUMBERS[kind]}", self.data, self.at - count * size))

    def tensor(self, place: str) -> Entry:
        """The next tensor; its start is still counted from the first number."""
        self.place = place
        name = self.string()
        self.place = f"tensor {name}"
        dimensions = self.number("I")
        if not 0 < dimensions <= MOST_DIMENSIONS:
            raise UserError(f"{self.path}: tensor {name} has {dimensions} dimensions, not 1 to 4; {AGAIN}")
        shape = tuple(self.number("Q") for _ in range(dimensions))[::-1]
        number, start = self.number("I"), self.number("Q")
        if number not in KINDS:
            raise UserError(
                f"{self.path}: tensor {name} has type {OTHERS.get(number, number)}; read are "
                f"{', '.join(kind.name for kind in KINDS.values())}: take the model in one of these"
            )
        kind = KINDS[number]
        if 0 in shape or shape[-1] % kind.weights:
            raise UserError(f"{self.path}: tensor {name} of {kind.name} has the shape {shape}; {AGAIN}")
        return Entry(name, shape, kind, start)

    def room(self, count: int, size: int, things: str) -> None:
        """Refuse a count that the rest of the file cannot hold."""
        if count * size > len(self.data) - self.at:
            raise UserError(
                f"{self.path}: truncated, or damaged: {self.place} has {count} {things}, "
                f"and {len(self.data) - self.at} bytes are left; {AGAIN}"
            )


def write(path: Path, metadata: Mapping[str, Value], tensors: Mapping[str, tuple[Kind, Tensor]]) -> None:
    """Write a file in one step; numbers are turned into their type one tensor at a time."""
    with new_file(path) as file:
        file.write(struct.pack("<4sIQQ", MAGIC, VERSION, len(tensors), len(metadata)))
        for key, value in metadata.items():
            file.write(_string(key) + _value(value))
        place = 0
        for name, (kind, tensor) in tensors.items():
            shape = tuple(tensor.shape)
            file.write(_string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1]))
            file.write(struct.pack("<IQ", kind.number, place))
            place += _up(Entry(name, shape, kind, 0).bytes)
        for kind, tensor in tensors.values():
            _pad(file)
            file.write(kind.quantize(tensor.detach().to("cpu", torch.float32).contiguous().numpy()).data)
        _pad(file)


def _up(place: int) -> int:
    return -(-place // ALIGNMENT) * ALIGNMENT


def _pad(file: BinaryIO) -> None:
    file.write(bytes(_up(file.tell()) - file.tell()))


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Value) -> bytes:
    """The type of a value, then the value: whole numbers are unsigned, those of lists signed, as llama.cpp has them."""
    match value:
        case bool():
            return struct.pack("<I?", BOOL, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", STRING) + _string(value)
    count, first = len(value), next(iter(value), "")
    if isinstance(first, str):
        return struct.pack("<IIQ", ARRAY, STRING, count) + b"".join(_string(str(each)) for each in value)
    kind, code = (6, "f") if isinstance(first, float) else (5, "i")
    return struct.pack(f"<IIQ{count}{code}", ARRAY, kind, count, *value)
