"""The container: what the `gguf` package writes is read, what we write it reads, and damage is one sentence."""

import struct
from pathlib import Path

import gguf as reference
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.exchange.gguf import GGUF, write
from hornbook.exchange.gguf_blocks import NAMED

NUMBERS = np.random.default_rng(0).normal(size=(6, 64)).astype(np.float32)
TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file by the reference writer, with every kind of value and an alignment of its own."""
    path = tmp_path_factory.mktemp("gguf") / "theirs.gguf"
    writer = reference.GGUFWriter(path, "llama")
    writer.add_custom_alignment(64)
    for kind, value in {
        "uint8": 7, "int8": -7, "uint16": 700, "int16": -700, "uint32": 1 << 31, "int32": -5,
        "uint64": 1 << 40, "int64": -(1 << 40), "float32": 1e-5, "float64": 0.1, "bool": True,
        "string": "字\n", "array": ["a", "é"],
    }.items():  # fmt: skip
        getattr(writer, f"add_{kind}")(f"test.{kind}", value)
    writer.add_array("test.numbers", [1, 2, -3])
    for name in TYPES:
        kind = reference.GGMLQuantizationType[name]
        writer.add_tensor(f"blk.{name}.weight", reference.quants.quantize(NUMBERS, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_what_the_reference_writes_is_read(theirs: Path) -> None:
    file = GGUF(theirs)
    metadata = file.metadata
    assert metadata["general.architecture"] == "llama"
    assert [metadata[f"test.{k}"] for k in ("uint8", "int8", "uint16", "int16")] == [7, -7, 700, -700]
    assert [metadata[f"test.{k}"] for k in ("uint32", "int32", "uint64", "int64")] == [1 << 31, -5, 1 << 40, -(1 << 40)]
    assert [metadata[f"test.{k}"] for k in ("float32", "float64", "bool")] == [1e-5, 0.1, True]
    assert [metadata[f"test.{k}"] for k in ("string", "array", "numbers")] == ["字\n", ["a", "é"], [1, 2, -3]]
    for name in TYPES:
        kind = reference.GGMLQuantizationType[name]
        expected = reference.quants.dequantize(reference.quants.quantize(NUMBERS, kind), kind)
        tensor = file.get(f"blk.{name}.weight")
        assert tensor.shape == (6, 64)
        assert np.array_equal(tensor.float().numpy(), expected), name
    assert file.get("blk.F16.weight").dtype == torch.float16


def test_what_we_write_the_reference_reads(tmp_path: Path) -> None:
    metadata = {
        "general.architecture": "llama",
        "a": 3,
        "b": 0.5,
        "c": False,
        "d": ["x", "字"],
        "e": [1, -1],
        "f": [0.5],
    }
    tensors = {"one": torch.arange(5.0), "two": torch.from_numpy(NUMBERS)}
    kinds = {"one": "F32", "two": "Q8_0"}
    write(tmp_path / "x.gguf", metadata, {name: (NAMED[kinds[name]], tensor) for name, tensor in tensors.items()})
    reader = reference.GGUFReader(tmp_path / "x.gguf")
    assert {key: reader.fields[key].contents() for key in metadata} == metadata
    one, two = reader.tensors
    assert (one.name, one.data.tolist()) == ("one", [0, 1, 2, 3, 4])
    assert np.array_equal(two.data, reference.quants.quantize(NUMBERS, reference.GGMLQuantizationType.Q8_0))
    assert [path.name for path in tmp_path.iterdir()] == ["x.gguf"]
    assert GGUF(tmp_path / "x.gguf").metadata == metadata


def test_version_2_is_read_others_are_not(theirs: Path, tmp_path: Path) -> None:
    data = bytearray(theirs.read_bytes())
    path = tmp_path / "x.gguf"
    for version, sentence in ((2, None), (1, "GGUF version 1"), (4, "GGUF version 4"), (3 << 24, "big-endian")):
        data[4:8] = struct.pack("<I", version)
        path.write_bytes(data)
        if sentence is None:
            assert GGUF(path).entries.keys() == GGUF(theirs).entries.keys()
            continue
        with pytest.raises(UserError, match=rf"x\.gguf: {sentence}"):
            GGUF(path)


def raw(tensors: int = 1, keys: int = 0, *, name: bytes = b"w", dims: tuple[int, ...] = (2,), kind: int = 0) -> bytes:
    header = struct.pack("<4sIQQ", b"GGUF", 3, tensors, keys) + struct.pack("<Q", len(name)) + name
    return header + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, 0) + bytes(200)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "too short"),
        (b"PK\x03\x04" + bytes(40), r"no GGUF file \(it begins with b'PK"),
        (raw(tensors=1 << 60), "header has 1152921504606846976 tensors, and"),
        (raw(keys=1 << 62), "header has 4611686018427387904 keys, and"),
        (raw(kind=10), "tensor w has type Q2_K; read are F32"),
        (raw(kind=77), "tensor w has type 77"),
        (raw(dims=(1 << 40,)), "truncated: tensor w ends at byte"),
        (raw(dims=(33,), kind=8), r"tensor w of Q8_0 has the shape \(33,\)"),
        (raw(dims=(0,)), r"tensor w of F32 has the shape \(0,\)"),
        (raw(dims=(1,) * 5), "tensor w has 5 dimensions"),
        (raw(name=b"\xff\xfe"), "tensor 1 of 1 is not UTF-8"),
        (raw(tensors=2)[:57] + struct.pack("<Q5sH", 5, b"later", 1), "truncated in tensor later"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_damage_is_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"x\.gguf: .*{sentence}"):
        GGUF(path)


@given(data=st.data())
def test_whatever_is_cut_off_or_changed_nothing_but_a_sentence_comes(theirs: Path, data: st.DataObject) -> None:
    content = bytearray(theirs.read_bytes())
    path = theirs.with_name("damaged.gguf")
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(content[:place])
    else:
        content[place % 1200] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
    try:
        file = GGUF(path)
        for name in file.entries:
            file.get(name)
    except UserError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017  # there need not be an error


def test_a_model_that_reads_plain_numbers_leaves_them_in_the_file(theirs: Path, tmp_path: Path) -> None:
    """Two tensors of one name share their memory: both are the mapped file. Writing to them does not change it."""
    path = tmp_path / "x.gguf"
    path.write_bytes(theirs.read_bytes())
    file = GGUF(path)
    one, two = file.get("blk.F32.weight"), file.get("blk.F32.weight")
    assert one.data_ptr() == two.data_ptr()
    one.zero_()
    assert path.read_bytes() == theirs.read_bytes()
