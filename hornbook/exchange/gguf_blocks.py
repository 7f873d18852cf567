"""The types of numbers in a GGUF file: blocks of a few weights that share a scale, to float32 and back.

| type | weights | bytes | a block, in order                                                   | a weight              |
|------|---------|-------|---------------------------------------------------------------------|-----------------------|
| Q4_0 | 32      | 18    | d f16, q 16 (two to a byte: weights 0 to 15 low, 16 to 31 high)     | d (q - 8)             |
| Q4_1 | 32      | 20    | d f16, m f16, q 16                                                  | d q + m               |
| Q5_0 | 32      | 22    | d f16, the 32 fifth bits, q 16                                      | d (q - 16)            |
| Q5_1 | 32      | 24    | d f16, m f16, the 32 fifth bits, q 16                               | d q + m               |
| Q8_0 | 32      | 34    | d f16, q 32 x int8                                                  | d q                   |
| Q4_K | 256     | 144   | d f16, m f16, 8 scales and 8 minima in 12 bytes, q 128              | d scale q - m minimum |
| Q5_K | 256     | 176   | as Q4_K with the 256 fifth bits, in 32 bytes, before q              | d scale q - m minimum |
| Q6_K | 256     | 210   | low 4 bits 128, high 2 bits 64, 16 scales int8, d f16               | d scale (q - 32)      |

The layouts are those of ggml (ggml-common.h: block_q4_0 ...; ggml-quants.c: dequantize_row_*), the sums are done in its
order and in float32, so results are equal bit for bit. Leaves out the 2 and 3 bit types, IQ* and TQ*.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

TOGETHER = 1 << 16  # weights worked on at once: what is in between stays in the cache


@dataclass(frozen=True)
class Kind:
    """A type of tensor. `read` fills (blocks, weights) from (blocks, bytes); `write` goes back."""

    name: str
    number: int  # in the file
    weights: int  # in a block
    bytes: int  # of a block
    read: Callable[[Bytes, Floats], None]
    write: Callable[[Floats], Bytes] | None = None
    plain: torch.dtype | None = None  # numbers as torch has them: they can stay in the file

    def dequantize(self, data: Bytes, out: Floats) -> None:
        """Fill `out` (as many as there are weights) from the bytes of a tensor."""
        blocks, numbers = data.reshape(-1, self.bytes), out.reshape(-1, self.weights)
        step = max(1, TOGETHER // self.weights)
        for first in range(0, len(blocks), step):
            self.read(blocks[first : first + step], numbers[first : first + step])

    def quantize(self, weights: Floats) -> Bytes:
        """The bytes of a tensor, whose rows are whole blocks."""
        assert self.write is not None, f"{self.name} is only read"
        blocks = weights.reshape(-1, self.weights)
        step = max(1, TOGETHER // self.weights)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # a block of zeros has no scale
            parts = [self.write(blocks[first : first + step]) for first in range(0, len(blocks), step)]
        return np.concatenate(parts).reshape(-1)


def _halves(data: Bytes) -> Floats:
    """Some float16, the scale of each block."""
    return np.ascontiguousarray(data).view(np.float16).astype(np.float32)


def _nibbles(data: Bytes, out: Floats) -> None:
    """Fill (blocks, groups, 2, width) with the low, then the high halves of the bytes (blocks, groups, width)."""
    np.bitwise_and(data, 15, out=out[:, :, 0])
    np.right_shift(data, 4, out=out[:, :, 1])


def _fifth_bits(data: Bytes, out: Floats) -> None:
    """Add 16 where the bit of a weight is set: (blocks, 4) bytes hold 32 of them."""
    out += np.unpackbits(data, axis=1, bitorder="little") * np.float32(16)


def _read_f32(blocks: Bytes, out: Floats) -> None:
    out[:] = blocks.view(np.float32)


def _read_f16(blocks: Bytes, out: Floats) -> None:
    out[:] = blocks.view(np.float16)


def _read_bf16(blocks: Bytes, out: Floats) -> None:
    np.left_shift(blocks.view(np.uint16), 16, out=out.view(np.uint32), dtype=np.uint32)


def _read_q8_0(blocks: Bytes, out: Floats) -> None:
    np.multiply(blocks[:, 2:].view(np.int8), _halves(blocks[:, :2]), out=out)


def _read_q4_0(blocks: Bytes, out: Floats) -> None:
    _nibbles(blocks[:, None, 2:], out.reshape(-1, 1, 2, 16))
    out -= 8
    out *= _halves(blocks[:, :2])


def _read_q4_1(blocks: Bytes, out: Floats) -> None:
    _nibbles(blocks[:, None, 4:], out.reshape(-1, 1, 2, 16))
    out *= _halves(blocks[:, :2])
    out += _halves(blocks[:, 2:4])


def _read_q5_0(blocks: Bytes, out: Floats) -> None:
    _nibbles(blocks[:, None, 6:], out.reshape(-1, 1, 2, 16))
    _fifth_bits(blocks[:, 2:6], out)
    out -= 16
    out *= _halves(blocks[:, :2])


def _read_q5_1(blocks: Bytes, out: Floats) -> None:
    _nibbles(blocks[:, None, 8:], out.reshape(-1, 1, 2, 16))
    _fifth_bits(blocks[:, 4:8], out)
    out *= _halves(blocks[:, :2])
    out += _halves(blocks[:, 2:4])


def _scales_and_minima(blocks: Bytes) -> tuple[Floats, Floats]:
    """Of the 8 groups of a block of Q4_K or Q5_K: (blocks, 8, 1) each, times the scales d and m of the block.

    Six bits each: groups 0 to 3 have a byte of their own, groups 4 to 7 a nibble and the top bits of those bytes.
    """
    low, high, nibbles = (blocks[:, at : at + 4] for at in (4, 8, 12))
    scales = np.concatenate((low & 63, (nibbles & 15) | ((low >> 2) & 48)), axis=1)
    minima = np.concatenate((high & 63, (nibbles >> 4) | ((high >> 2) & 48)), axis=1)
    return (_halves(blocks[:, :2]) * scales)[..., None], (_halves(blocks[:, 2:4]) * minima)[..., None]


def _read_q4_k(blocks: Bytes, out: Floats) -> None:
    _nibbles(blocks[:, 16:].reshape(-1, 4, 32), out.reshape(-1, 4, 2, 32))
    _scale_groups(blocks, out)


def _read_q5_k(blocks: Bytes, out: Floats) -> None:
    _nibbles(blocks[:, 48:].reshape(-1, 4, 32), out.reshape(-1, 4, 2, 32))
    groups, bits = out.reshape(-1, 8, 32), blocks[:, 16:48]  # bit i of byte j is of weight j of group i
    for i in range(8):
        groups[:, i] += (bits >> i & 1) * np.float32(16)
    _scale_groups(blocks, out)


def _scale_groups(blocks: Bytes, out: Floats) -> None:
    scales, minima = _scales_and_minima(blocks)
    groups = out.reshape(-1, 8, 32)
    groups *= scales
    groups -= minima


def _read_q6_k(blocks: Bytes, out: Floats) -> None:
    """Each half of a block: the low nibbles of 64 bytes, then the high ones; 32 bytes have four pairs of bits."""
    low, high = blocks[:, :128].reshape(-1, 2, 64), blocks[:, 128:192].reshape(-1, 2, 32)
    _nibbles(low, out.reshape(-1, 2, 2, 64))
    quarters = out.reshape(-1, 2, 4, 32)
    for i in range(4):
        quarters[:, :, i] += (high >> 2 * i & 3) * np.float32(16)
    out -= 32
    groups = out.reshape(-1, 16, 16)
    groups *= (_halves(blocks[:, 208:]) * blocks[:, 192:208].view(np.int8))[..., None]


def _write_f32(weights: Floats) -> Bytes:
    return np.ascontiguousarray(weights).view(np.uint8)


def _write_f16(weights: Floats) -> Bytes:
    return weights.astype(np.float16).view(np.uint8)


def _write_q8_0(weights: Floats) -> Bytes:
    """The largest weight of a block becomes 127 or -127; halves are rounded away from zero."""
    scale: Floats = np.abs(weights).max(axis=1, keepdims=True) / np.float32(127)
    scaled = weights * _inverse(scale)
    size = np.abs(scaled)
    whole = np.floor(size)
    whole += size - whole >= 0.5
    q = np.copysign(whole, scaled).astype(np.int8)
    return np.concatenate((scale.astype(np.float16).view(np.uint8), q.view(np.uint8)), axis=1)


def _write_q4_0(weights: Floats) -> Bytes:
    """The weight of the largest size becomes -8, whatever its sign: -8 to 7 has one step more on that side."""
    largest = np.take_along_axis(weights, np.abs(weights).argmax(axis=1, keepdims=True), axis=1)
    scale: Floats = largest / np.float32(-8)
    q = (weights * _inverse(scale) + np.float32(8.5)).astype(np.uint8).clip(0, 15)
    packed = q[:, :16] | (q[:, 16:] << 4)
    return np.concatenate((scale.astype(np.float16).view(np.uint8), packed), axis=1)


def _inverse(scale: Floats) -> Floats:
    return np.where(scale == 0, np.float32(0), 1 / scale)


KINDS = {
    kind.number: kind
    for kind in (
        Kind("F32", 0, 1, 4, _read_f32, _write_f32, torch.float32),
        Kind("F16", 1, 1, 2, _read_f16, _write_f16, torch.float16),
        Kind("Q4_0", 2, 32, 18, _read_q4_0, _write_q4_0),
        Kind("Q4_1", 3, 32, 20, _read_q4_1),
        Kind("Q5_0", 6, 32, 22, _read_q5_0),
        Kind("Q5_1", 7, 32, 24, _read_q5_1),
        Kind("Q8_0", 8, 32, 34, _read_q8_0, _write_q8_0),
        Kind("Q4_K", 12, 256, 144, _read_q4_k),
        Kind("Q5_K", 13, 256, 176, _read_q5_k),
        Kind("Q6_K", 14, 256, 210, _read_q6_k),
        Kind("BF16", 30, 1, 2, _read_bf16, plain=torch.bfloat16),
    )
}
NAMED = {kind.name: kind for kind in KINDS.values()}

# Types that are known and not read, so that the file is not blamed (ggml.h: enum ggml_type).
OTHERS = {
    10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL",
    21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M",
    34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
