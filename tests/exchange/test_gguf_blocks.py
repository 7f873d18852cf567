"""Blocks: equal to the `gguf` package bit for bit, both ways, and to one block worked out by hand."""

import gguf
import numpy as np
import pytest

from hornbook.exchange.gguf_blocks import KINDS, NAMED, OTHERS, TOGETHER, Kind

KIND_NAMES = sorted(NAMED)
WRITTEN = sorted(kind.name for kind in KINDS.values() if kind.write)


def random_blocks(kind: Kind, blocks: int) -> np.ndarray:
    """Any bytes: NaN and infinite scales are among them, and stay what they are."""
    return np.random.default_rng(kind.number).integers(0, 256, blocks * kind.bytes, dtype=np.uint8)


def dequantized(kind: Kind, data: np.ndarray) -> np.ndarray:
    out = np.empty(data.size // kind.bytes * kind.weights, np.float32)
    kind.dequantize(data, out)
    return out


@pytest.mark.parametrize("name", KIND_NAMES)
@pytest.mark.parametrize("blocks", [1, 517])
def test_blocks_are_read_as_ggml_reads_them(name: str, blocks: int) -> None:
    kind = NAMED[name]
    blocks *= max(1, 32 // kind.weights)
    data = random_blocks(kind, blocks)
    with np.errstate(all="ignore"):
        ours = dequantized(kind, data)
        theirs = gguf.quants.dequantize(data.reshape(1, -1), gguf.GGMLQuantizationType[name]).ravel()
    real = ~np.isnan(theirs)
    assert np.array_equal(np.isnan(ours), ~real)
    assert np.array_equal(ours.view(np.uint32)[real], theirs.view(np.uint32)[real])


@pytest.mark.parametrize("name", KIND_NAMES)
def test_the_numbers_of_the_file_format_are_those_of_ggml(name: str) -> None:
    kind = NAMED[name]
    assert gguf.GGMLQuantizationType(kind.number).name == name
    assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind.number)] == (kind.weights, kind.bytes)


def test_types_that_are_not_read_have_their_names() -> None:
    assert {gguf.GGMLQuantizationType(number).name for number in OTHERS} == set(OTHERS.values())


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("size", [1.0, 1e-6, 300.0])
def test_blocks_are_written_as_ggml_writes_them(name: str, size: float) -> None:
    kind = NAMED[name]
    weights = np.random.default_rng(7).normal(0, size, (9, TOGETHER // 8)).astype(np.float32)
    weights[1] = 0
    weights[2] = np.round(weights[2] / size * 8) * size / 8  # many ties and halves
    weights[3, ::2] = 0
    theirs = gguf.quants.quantize(weights, gguf.GGMLQuantizationType[name])
    ours = kind.quantize(weights)
    assert np.array_equal(ours, theirs.view(np.uint8).ravel())


def test_a_block_of_q4_0_by_hand() -> None:
    """d = 0.5, byte 0 is 0x9F: the low nibble 15 is weight 0, the high one 9 is weight 16."""
    block = np.concatenate((np.float16([0.5]).view(np.uint8), np.full(16, 0x88, np.uint8)))
    block[2] = 0x9F
    expected = np.zeros(32, np.float32)
    expected[[0, 16]] = 3.5, 0.5
    assert dequantized(NAMED["Q4_0"], block).tolist() == expected.tolist()


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_reads_back_within_half_a_step(name: str) -> None:
    weights = np.random.default_rng(1).normal(size=(4, 64)).astype(np.float32)
    steps = {
        "F32": 0,
        "F16": 2**-10,
        "Q8_0": 1 / 127,
        "Q4_0": 1 / 4,
    }  # of the largest weight; Q4_0 may lose a whole one
    back = dequantized(NAMED[name], NAMED[name].quantize(weights)).reshape(weights.shape)
    assert np.abs(back - weights).max() <= steps[name] * np.abs(weights).max()
