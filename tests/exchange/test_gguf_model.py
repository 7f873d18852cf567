"""Whole models in GGUF files: the same logits as before and as transformers', and nothing that a file cannot say."""

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import folder, gguf_model
from hornbook.exchange.gguf import GGUF
from hornbook.exchange.gguf import write as write_file
from hornbook.exchange.gguf_blocks import NAMED
from hornbook.exchange.gguf_fields import FACTORS
from hornbook.model.decoder import Decoder
from hornbook.model.models import AnyModel
from tests.exchange.gguf_peer import transformers_model

IDS = torch.arange(40).view(2, 20) % 131


def make(name: str, *overrides: str) -> AnyModel:
    """A small random model whose norms and biases say something too."""
    model = recipe.load(Decoder, f"models/{name}", overrides).build(torch.Generator().manual_seed(3)).eval()
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return model


LLAMA3 = "{type: rope, base: 500000, scaling: {type: llama3_scaling, factor: 8}}"
LINEAR = "{type: rope, scaling: {type: linear_scaling, factor: 4}}"
DESIGNS = [
    ("llama-tiny",),
    ("llama-tiny", "stack.position=rope"),
    ("llama-tiny", "stack.position=rope", "stack.layer.0.kv_heads=1", "head.tied=true"),
    ("llama-tiny", "stack.position=rope", "stack.layer.0.head_dim=20"),
    ("llama-tiny", f"stack.position={LLAMA3}"),
    ("llama-tiny", f"stack.position={LINEAR}"),
    ("llama-tiny", "stack.layer.0.bias=true", "stack.layer.0.output_bias=true", "stack.layer.1.bias=true"),
    ("qwen2-tiny",),
    ("qwen3-tiny",),
    ("qwen3-tiny", "stack.layer.0.head_dim=128"),
    ("mistral-tiny",),
    ("gemma3-tiny",),
    ("gemma3-tiny", "stack.layer.l.0.head_dim=256", "stack.layer.g.0.head_dim=256"),
]


@pytest.mark.parametrize("design", DESIGNS, ids=" ".join)
@torch.no_grad()
def test_a_written_model_is_the_model(design: tuple[str, ...], tmp_path: Path) -> None:
    model = make(*design)
    gguf_model.save(model, tmp_path / "x.gguf", type="f32")
    opened = gguf_model.load(tmp_path / "x.gguf")
    assert (opened.tokenizer, opened.renderer) == (None, None)
    assert torch.equal(opened.module.eval()(IDS).logits, model(IDS).logits)
    assert [path.name for path in tmp_path.iterdir()] == ["x.gguf"]


# Reading GGUF, transformers leaves out rope_freqs, scalings, biases of Llama, the width of Qwen3's heads, the window of
# Mistral and what Gemma's scores are divided by
UNREAD = (("llama-tiny",), ("qwen3-tiny",), ("mistral-tiny",), ("gemma3-tiny",))
THEIRS = [d for d in DESIGNS if d not in UNREAD and not any("scaling" in each or "bias" in each for each in d)]


@pytest.mark.parametrize("design", THEIRS, ids=" ".join)
@torch.no_grad()
def test_transformers_reads_it_with_the_same_logits(design: tuple[str, ...], tmp_path: Path) -> None:
    model = make(*design)
    gguf_model.save(model, tmp_path / "x.gguf", type="f32")
    theirs = transformers_model(tmp_path / "x.gguf")
    torch.testing.assert_close(model(IDS).logits, theirs(IDS).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("type", ["f32", "f16", "q8_0", "q4_0"])
def test_every_tensor_is_what_the_reference_makes_of_it(type: str, tmp_path: Path) -> None:
    sizes = ["dim=64", "stack.layer.1.hidden=96", "stack.layer.0.head_dim=16", "stack.layer.0.heads=4"]
    model = make("qwen3-tiny", *sizes)
    gguf_model.save(model, tmp_path / "x.gguf", type=type)
    reader = gguf.GGUFReader(tmp_path / "x.gguf")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, model.config.stack.layers)
    _, theirs = folder.take_apart(model)
    found = {tensor.name: tensor for tensor in reader.tensors}
    assert len(found) == len(theirs)
    for name, weight in theirs.items():
        tensor = found[names.get_name(name, try_suffixes=(".weight",))]
        large = "F32" if weight.dim() == 1 else "Q8_0" if (type, tensor.name) == ("q4_0", "token_embd.weight") else None
        assert tensor.tensor_type.name == (large or type.upper())
        expected = gguf.quants.quantize(weight.numpy(), tensor.tensor_type)
        assert np.array_equal(tensor.data.view(np.uint8).ravel(), np.ascontiguousarray(expected).view(np.uint8).ravel())
    assert (
        reader.fields["general.file_type"].contents()
        == gguf.LlamaFileType[{"f32": "ALL_F32"}.get(type, f"MOSTLY_{type.upper()}")]
    )


@torch.no_grad()
def test_rows_that_blocks_do_not_fill_are_halves(tmp_path: Path) -> None:
    model = make("llama-tiny", "stack.layer.1.hidden=100")
    gguf_model.save(model, tmp_path / "x.gguf", type="q8_0")
    kinds = {name: entry.kind.name for name, entry in GGUF(tmp_path / "x.gguf").entries.items()}
    assert kinds["blk.0.ffn_down.weight"] == "F16"
    close = gguf_model.load(tmp_path / "x.gguf").module.eval()(IDS).logits
    assert 0 < (close - model(IDS).logits).abs().max() < 0.1


def test_numbers_keep_their_type_or_are_cast(tmp_path: Path) -> None:
    model = make("llama-tiny")
    for type, kept in (("f32", torch.float32), ("f16", torch.float16), ("q8_0", torch.float32)):
        gguf_model.save(model, tmp_path / "x.gguf", type=type)
        assert {p.dtype for p in gguf_model.load(tmp_path / "x.gguf").module.parameters()} == {kept}
        cast = gguf_model.load(tmp_path / "x.gguf", dtype=torch.bfloat16).module
        assert {p.dtype for p in cast.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize(
    ("design", "sentence"),
    [
        (("gpt2-tiny",), "a gpt2 model cannot be written as GGUF, only llama, mistral"),
        (("fast-tiny",), "a hornbook model cannot be written as GGUF"),
        (
            ("llama-tiny", "stack.layer.1.activation=relu"),
            r"cannot say that .*activation is 'relu': it would read back as 'silu'",
        ),
    ],
)
def test_what_a_file_cannot_say_is_refused(design: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=sentence):
        gguf_model.save(make(*design), tmp_path / "x.gguf")
    with pytest.raises(UserError, match="type: 'q3' is not one of f32, f16, q4_0, q8_0"):
        gguf_model.save(make(*design), tmp_path / "x.gguf", type="q3")
    assert not list(tmp_path.iterdir())


NORM = "blk.1.attn_norm.weight"


@pytest.mark.parametrize(
    ("name", "tensor", "sentence"),
    [
        (NORM, None, rf"x.gguf: tensor {NORM} is missing"),
        (NORM, torch.ones(49), rf"x.gguf: tensor {NORM} is \(49,\), its metadata makes it \(48,\)"),
        ("blk.1.attn_q.scale", torch.ones(2), r"x.gguf: tensor blk.1.attn_q.scale has no place"),
        ("extra.weight", torch.ones(2), r"x.gguf: tensor extra.weight has no place"),
        (FACTORS, torch.linspace(1, 9, 6), r"x.gguf: rope_freqs.weight is not the scaling of Llama 3.1"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    name: str, tensor: torch.Tensor | None, sentence: str, tmp_path: Path
) -> None:
    gguf_model.save(make("llama-tiny"), tmp_path / "x.gguf", type="f32")
    file = GGUF(tmp_path / "x.gguf")
    tensors = {each: (NAMED["F32"], file.get(each).clone()) for each in file.entries}
    if tensor is None:
        del tensors[name]
    else:
        tensors[name] = (NAMED["F32"], tensor)
    write_file(tmp_path / "x.gguf", file.metadata, tensors)
    with pytest.raises(UserError, match=sentence):
        gguf_model.load(tmp_path / "x.gguf")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(NAMED["F32"]), "quantize", full)
    with pytest.raises(OSError, match="No space"):
        gguf_model.save(make("llama-tiny"), path, type="f32")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("x.gguf", b"old")]
