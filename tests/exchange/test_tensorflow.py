"""OpenAI's GPT-2 files: one that TensorFlow 2.21 wrote (tests/exchange/gpt2_checkpoint), and more that are made here.

The numbers of tensor k, in the order of names, are sin(0.37 i + k) in TensorFlow's file.
"""

import json
import math
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.exchange import tensorflow
from hornbook.exchange.tensorflow import Checkpoint, _crc32c, _masked
from hornbook.generate.language_model import LanguageModel
from hornbook.text.bpe import BPE
from hornbook.text.files import describe
from hornbook.text.protobuf import bytes_field, number_field

GENUINE = Path(__file__).parent / "gpt2_checkpoint"
VOCAB, LENGTH, DIM, HEADS, LAYERS = 23, 12, 8, 2, 2


def shapes(vocab: int = VOCAB) -> dict[str, tuple[int, ...]]:
    """The tensors of a GPT-2 by OpenAI's names."""
    found = {"model/wte": (vocab, DIM), "model/wpe": (LENGTH, DIM), "model/ln_f/g": (DIM,), "model/ln_f/b": (DIM,)}
    for layer in (f"model/h{i}" for i in range(LAYERS)):
        for norm in ("ln_1", "ln_2"):
            found |= {f"{layer}/{norm}/g": (DIM,), f"{layer}/{norm}/b": (DIM,)}
        sizes = {"attn/c_attn": (DIM, 24), "attn/c_proj": (DIM, DIM), "mlp/c_fc": (DIM, 32), "mlp/c_proj": (32, DIM)}
        for name, (inputs, outputs) in sizes.items():
            found |= {f"{layer}/{name}/w": (1, inputs, outputs), f"{layer}/{name}/b": (outputs,)}
    return found


def numbers(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    found = {}
    for k, name in enumerate(sorted(shapes)):
        places = np.arange(math.prod(shapes[name]), dtype=np.float32)
        found[name] = np.sin(places * 0.37 + k).reshape(shapes[name]).astype(np.float32)
    return found


def test_what_tensorflow_wrote_is_read() -> None:
    checkpoint, expected = Checkpoint(GENUINE), numbers(shapes())
    assert len(checkpoint.entries) == len(expected)
    for name, entry in checkpoint.entries.items():
        tensor = checkpoint.get(name)
        assert np.allclose(tensor.numpy(), expected[entry.name].reshape(tensor.shape), atol=1e-6)
        assert entry.name in checkpoint.place(name)


@torch.no_grad()
def test_its_logits_are_transformers(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    checkpoint = Checkpoint(GENUINE)
    sizes = {"n_embd": DIM, "n_head": HEADS, "n_layer": LAYERS, "vocab_size": VOCAB, "n_positions": LENGTH}
    theirs = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)).eval()
    missing, unexpected = theirs.load_state_dict({n: checkpoint.get(n) for n in checkpoint.shapes}, strict=False)
    assert (missing, unexpected) == (["lm_head.weight"], [])
    ids = torch.arange(LENGTH)[None]
    torch.testing.assert_close(tensorflow.load(GENUINE).eval()(ids).logits, theirs(ids).logits, atol=1e-4, rtol=1e-4)


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def block(entries: list[tuple[bytes, bytes]], kind: int = 0) -> bytes:
    """A block of a table, keys cut where they begin as the one before them, with its trailer."""
    data, before = b"", b""
    for key, value in entries:
        shared = next(
            (i for i, (a, b) in enumerate(zip(key, before, strict=False)) if a != b), min(len(key), len(before))
        )
        data += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    data += struct.pack("<II", 0, 1) + bytes([kind])  # one restart, at the beginning
    return data + struct.pack("<I", _masked(_crc32c(data)))


def write(folder: Path, tensors: dict[str, np.ndarray], *, shards: int = 1, together: int = 5, kind: int = 0) -> None:
    """A checkpoint as TensorFlow's BundleWriter lays it out, with small blocks and several data files if wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    vocab = len(tensors["model/wte"])
    hparams = {"n_vocab": vocab, "n_ctx": LENGTH, "n_embd": DIM, "n_head": HEADS, "n_layer": LAYERS}
    (folder / "hparams.json").write_text(json.dumps(hparams))
    data = [b""] * shards
    rows = [(b"", number_field(1, shards) + bytes_field(3, number_field(1, 1)))]
    for i, name in enumerate(sorted(tensors)):
        shard, content = i % shards, tensors[name].tobytes()
        dims = b"".join(bytes_field(2, number_field(1, size)) for size in tensors[name].shape)
        entry = number_field(1, 1) + bytes_field(2, dims) + number_field(3, shard) + number_field(4, len(data[shard]))
        rows.append((name.encode(), entry + number_field(5, len(content))))
        data[shard] += content
    for i, content in enumerate(data):
        (folder / f"model.ckpt.data-{i:05}-of-{shards:05}").write_bytes(content)
    table, places = b"", []
    for first in range(0, len(rows), together):
        part = block(rows[first : first + together], kind)
        places.append((rows[min(first + together, len(rows)) - 1][0], varint(len(table)) + varint(len(part) - 5)))
        table += part
    empty, index = block([]), block(places)
    footer = varint(len(table)) + varint(len(empty) - 5) + varint(len(table) + len(empty)) + varint(len(index) - 5)
    footer += bytes(40 - len(footer)) + struct.pack("<Q", 0xDB4775248B80FB57)
    (folder / "model.ckpt.index").write_bytes(table + empty + index + footer)


@pytest.mark.parametrize(("shards", "together"), [(1, 100), (1, 5), (3, 1)])
def test_blocks_and_data_files_may_be_many(shards: int, together: int, tmp_path: Path) -> None:
    tensors = numbers(shapes())
    write(tmp_path, tensors, shards=shards, together=together)
    checkpoint = Checkpoint(tmp_path)
    for name, entry in checkpoint.entries.items():
        assert np.array_equal(checkpoint.get(name).numpy(), tensors[entry.name].reshape(checkpoint.shapes[name]))


def test_the_checksum_is_castagnolis() -> None:
    """RFC 3720, appendix B.4."""
    assert _crc32c(bytes(32)) == 0x8A9136AA
    assert _crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"model/h1/ln_1/g": np.ones(9, np.float32)},
            r"index: tensor model/h1/ln_1/g is \(9,\), hparams.json makes it",
        ),
        (
            {"model/extra": np.ones(2, np.float32)},
            r"index: tensor model/extra has no place in the model that hparams.json",
        ),
        ({"model/ln_f/b": None}, "index: tensor transformer.ln_f.bias is missing"),
    ],
)
def test_tensors_that_do_not_fit_are_named(change: dict[str, np.ndarray | None], sentence: str, tmp_path: Path) -> None:
    tensors = {name: each for name, each in (numbers(shapes()) | change).items() if each is not None}
    write(tmp_path, tensors)
    with pytest.raises(UserError, match=sentence):
        tensorflow.load(tmp_path)


def test_files_that_are_not_whole_are_named(tmp_path: Path) -> None:
    shutil.copytree(GENUINE, tmp_path / "x")
    index, data = tmp_path / "x" / "model.ckpt.index", tmp_path / "x" / "model.ckpt.data-00000-of-00001"
    whole = index.read_bytes()
    flipped = bytearray(whole)
    flipped[100] ^= 1
    cases = {
        "no table's footer": whole[:-1],
        "checksum is wrong": bytes(flipped),
        "no table": b"",
        "footer": whole[:40],
    }
    for sentence, content in cases.items():
        index.write_bytes(content)
        with pytest.raises(UserError, match=rf"model.ckpt.index: damaged, or no index of a .*{sentence}"):
            tensorflow.load(tmp_path / "x")
    index.write_bytes(whole)
    data.write_bytes(data.read_bytes()[:-4])
    with pytest.raises(UserError, match=r"data-00000-of-00001: truncated: tensor model/wte ends at byte"):
        tensorflow.load(tmp_path / "x")
    data.unlink()
    with pytest.raises(UserError, match=r"data-00000-of-00001: missing or empty"):
        tensorflow.load(tmp_path / "x")
    (tmp_path / "x" / "hparams.json").unlink()
    with pytest.raises(UserError, match=r"hparams.json: wanted with n_vocab"):
        tensorflow.load(tmp_path / "x")


def test_a_compressed_block_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, numbers(shapes()), kind=1)
    with pytest.raises(UserError, match="a block is compressed, which is not read"):
        tensorflow.load(tmp_path)


def test_the_folder_writes_text(tmp_path: Path) -> None:
    """With encoder.json and vocab.bpe beside it, as OpenAI gives them; saved, it is an ordinary folder."""
    config = BPE(vocab=270, split="gpt2", special=["<|endoftext|>"])
    tokenizer = config.train(["the cat and the hat sat on the mat\n"] * 3, processes=1)
    write(tmp_path / "117M", numbers(shapes(tokenizer.vocab)))
    model = describe(tokenizer)["model"]
    (tmp_path / "117M" / "encoder.json").write_text(json.dumps(model["vocab"] | tokenizer.special))
    merges = "\n".join(" ".join(pair) for pair in model["merges"])
    (tmp_path / "117M" / "vocab.bpe").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    lm = LanguageModel.load(tmp_path / "117M")
    text = lm.generate("the cat", temperature=0, max_new_tokens=5)
    lm.save(tmp_path / "saved")
    assert text
    assert LanguageModel.load(tmp_path / "saved").generate("the cat", temperature=0, max_new_tokens=5) == text
