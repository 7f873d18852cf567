"""OpenAI's GPT-2 as it was published (2019): a TensorFlow checkpoint and hparams.json, read without TensorFlow.

A checkpoint is `model.ckpt.data-00000-of-00001`, the numbers end to end, and `model.ckpt.index`, a sorted table from
names to shapes and places. The table is LevelDB's (doc/table_format.md there; TensorFlow: core/lib/io/format.cc), each
value a protocol buffer (core/protobuf/tensor_bundle.proto). Leaves out compressed blocks, slices of tensors and the
checksums of the numbers; those of the table are checked.
"""

import math
import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import read_json
from hornbook.exchange import folder
from hornbook.model.models import AnyModel
from hornbook.text import protobuf

FOOTER, MAGIC = 48, 0xDB4775248B80FB57
TRAILER = 5  # bytes after a block: how it is compressed, its checksum
TYPES = {1: torch.float32, 3: torch.int32, 9: torch.int64, 14: torch.bfloat16, 19: torch.float16}  # types.proto
AGAIN = "copy or download it again"

HPARAMS = {
    "n_vocab": "vocab_size",
    "n_ctx": "n_positions",
    "n_embd": "n_embd",
    "n_head": "n_head",
    "n_layer": "n_layer",
}


def load(path: Path, *, dtype: torch.dtype | None = None) -> AnyModel:
    """The model of a folder such as `models/124M` of OpenAI's repository."""
    hparams = read_json(path / "hparams.json") if (path / "hparams.json").is_file() else None
    if not isinstance(hparams, dict) or not hparams.keys() >= HPARAMS.keys():
        raise UserError(
            f"{path / 'hparams.json'}: wanted with {', '.join(HPARAMS)}, beside the checkpoint; copy it too"
        )
    fields = {"model_type": "gpt2", **{theirs: hparams[name] for name, theirs in HPARAMS.items()}}
    return folder.assemble(fields, Checkpoint(path), dtype=dtype)


def is_checkpoint(path: Path) -> bool:
    """Whether a folder has a TensorFlow checkpoint and no model of Hugging Face's."""
    return not (path / "config.json").exists() and next(path.glob("*.ckpt.index"), None) is not None


@dataclass(frozen=True)
class Entry:
    """Where a tensor is, and what."""

    name: str  # TensorFlow's
    dtype: torch.dtype
    shape: tuple[int, ...]
    shard: int
    start: int  # bytes


class Checkpoint:
    """The tensors of a GPT-2 by Hugging Face's names."""

    described = "hparams.json"

    def __init__(self, path: Path) -> None:
        self.index = sorted(path.glob("*.ckpt.index"))[0]
        shards, entries = _bundle(self.index)
        stem = self.index.name.removesuffix(".index")
        self.shards = [path / f"{stem}.data-{i:05}-of-{shards:05}" for i in range(shards)]
        self.entries = {_theirs(entry.name): entry for entry in entries}
        self.shapes = {name: _squeezed(entry.shape) for name, entry in self.entries.items()}
        self._maps = [_mapped(shard) for shard in self.shards]
        for entry in entries:
            end = entry.start + math.prod(entry.shape) * entry.dtype.itemsize
            if entry.shard >= shards or end > len(self._maps[entry.shard]):
                raise UserError(f"{self.shards[-1]}: truncated: tensor {entry.name} ends at byte {end}; {AGAIN}")

    def get(self, name: str) -> Tensor:
        """One tensor, mapped from its file."""
        entry = self.entries[name]
        mapped, count = self._maps[entry.shard], math.prod(entry.shape)
        whole = entry.start % entry.dtype.itemsize == 0  # torch wants to begin at a whole step
        data = mapped if whole else bytearray(mapped[entry.start : entry.start + count * entry.dtype.itemsize])
        tensor = torch.frombuffer(data, dtype=entry.dtype, count=count, offset=entry.start if whole else 0)
        return tensor.view(self.shapes[name])

    def place(self, name: str) -> str:
        """The file and the tensor by its name there, for errors."""
        return f"{self.index}: tensor {self.entries[name].name if name in self.entries else name}"


def _theirs(name: str) -> str:
    """`model/h0/attn/c_attn/w` -> `transformer.h.0.attn.c_attn.weight`"""
    path = re.sub(
        r"^model/(h)?(\d+)?", lambda found: f"transformer.{'h.' + found[2] if found[2] else found[1] or ''}", name
    )
    path = path.replace("/", ".")
    stem, _, last = path.rpartition(".")
    if last in ("w", "g", "b"):
        return f"{stem}.{'bias' if last == 'b' else 'weight'}"
    return f"{path}.weight"  # the two tables


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A matrix is kept as a convolution of width 1: (1, inputs, outputs)."""
    return shape[1:] if len(shape) == 3 and shape[0] == 1 else shape


def _mapped(path: Path) -> mmap.mmap:
    if not path.is_file() or not path.stat().st_size:
        raise UserError(f"{path}: missing or empty, though the index beside it counts on it; copy it too")
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _bundle(path: Path) -> tuple[int, list[Entry]]:
    """The number of data files, and every tensor."""
    try:
        header, *rows = _table(path.read_bytes())
        shards, order = (dict(protobuf.fields(header[1])).get(number, 0) for number in (1, 2))
        if header[0] != b"" or order != 0 or not isinstance(shards, int):
            raise ValueError("no header of a little-endian checkpoint")
        return shards, [_entry(name.decode(), value) for name, value in rows]
    except (ValueError, IndexError, struct.error) as error:
        raise UserError(f"{path}: damaged, or no index of a TensorFlow checkpoint ({error}); {AGAIN}") from None


def _entry(name: str, value: bytes) -> Entry:
    """BundleEntryProto: dtype 1, shape 2, shard 3, offset 4, size 5, slices 7."""
    found: dict[int, Any] = dict(protobuf.fields(value))
    dtype = TYPES.get(found.get(1, 0))
    if dtype is None or 7 in found:
        raise ValueError(f"tensor {name} is of type {found.get(1)} or in slices, which are not read")
    dims = [dict(protobuf.fields(dim)) for number, dim in protobuf.fields(found.get(2, b"")) if number == 2]  # type: ignore[arg-type]  # bytes
    shape = tuple(int(dim.get(1, 0)) for dim in dims)
    if found.get(5, 0) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"tensor {name} of the shape {shape} has {found.get(5, 0)} bytes")
    return Entry(name, dtype, shape, found.get(3, 0), found.get(4, 0))


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every (key, value) of a table: the footer names the block of block places."""
    if len(data) < FOOTER or int.from_bytes(data[-8:], "little") != MAGIC:
        raise ValueError("no table's footer at its end")
    place = len(data) - FOOTER
    _, place = _handle(data, place)  # of the metaindex, which is empty
    index, _ = _handle(data, place)
    for _, handle in _block(data, *index):
        block, _ = _handle(handle, 0)
        yield from _block(data, *block)


def _handle(data: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Where a block is and how long, and where the next begins."""
    start, place = _varint(data, place)
    size, place = _varint(data, place)
    return (start, size), place


def _block(data: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a block; a key leaves out what it shares with the one before it."""
    if start + size + TRAILER > len(data):
        raise ValueError("a block ends after the file")
    block, (kind, checksum) = data[start : start + size], struct.unpack_from("<BI", data, start + size)
    if checksum != _masked(_crc32c(data[start : start + size + 1])):
        raise ValueError("a block's checksum is wrong")
    if kind != 0:
        raise ValueError("a block is compressed, which is not read")
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")  # the rest are places to begin a search at
    place, key = 0, b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        length, place = _varint(block, place)
        key = key[:shared] + block[place : place + own]
        place += own + length
        yield key, block[place - length : place]


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number in steps of seven bits, and where the next begins."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _crc32c(data: bytes) -> int:
    """Castagnoli's checksum, bit by bit from a table: an index has some kilobytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _masked(crc: int) -> int:
    """As LevelDB stores it, since data may hold checksums itself (util/crc32c.h)."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _row(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC = [_row(byte) for byte in range(256)]
