"""The folder: what is written can be read, and what is damaged is named before anything is loaded."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import folder
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.model.models import Model

NAMES = [n for n in recipe.built_in_names() if n.startswith("models/") and n.endswith("-tiny")]
TINY = [name for name in NAMES if isinstance(recipe.load(Model, name), Decoder)]


def make(name: str = "models/llama-tiny") -> DecoderModel:
    return recipe.load(Decoder, name).build(torch.Generator().manual_seed(3)).eval()


@pytest.mark.parametrize("name", TINY)
@torch.no_grad()
def test_a_saved_model_is_the_model(name: str, tmp_path: Path) -> None:
    model, ids = make(name), torch.arange(20)[None]
    folder.save(model, tmp_path / "out", extra={"eos_token_id": 7})
    back = folder.load(tmp_path / "out").eval()
    torch.testing.assert_close(back(ids).logits, model(ids).logits, atol=1e-6, rtol=0)  # mapped memory lies otherwise
    assert back.token_ids == {"eos_token_id": 7}
    fields = json.loads((tmp_path / "out" / "config.json").read_text())
    assert fields["vocab_size"] == 131
    assert json.loads((tmp_path / "out" / "generation_config.json").read_text()) == {"eos_token_id": 7}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
    ]


def test_our_own_designs_keep_everything(tmp_path: Path) -> None:
    model = make("models/fast-tiny")
    folder.save(model, tmp_path / "out")
    assert folder.load(tmp_path / "out").config == model.config


def test_numbers_keep_their_type_or_are_cast(tmp_path: Path) -> None:
    folder.save(make().to(torch.bfloat16), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "bfloat16"
    assert {p.dtype for p in folder.load(tmp_path / "out").parameters()} == {torch.bfloat16}
    assert {p.dtype for p in folder.load(tmp_path / "out", dtype=torch.float32).parameters()} == {torch.float32}


def test_weights_in_several_files_are_read(tmp_path: Path) -> None:
    model = make()
    folder.save(model, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[:9], "model-00002-of-00002.safetensors": names[9:]}
    for part, held in parts.items():
        save_file({name: tensors[name] for name in held}, tmp_path / part)
    index = {"weight_map": {name: part for part, held in parts.items() for name in held}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    for ours, theirs in zip(model.parameters(), folder.load(tmp_path).parameters(), strict=True):
        assert torch.equal(ours, theirs)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(UserError, match=r"model-00002-of-00002.safetensors: missing"):
        folder.load(tmp_path)


def test_saving_again_replaces_only_the_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "model-00001-of-00001.safetensors").write_bytes(b"of an older model")
    folder.save(make("models/gpt2-tiny"), tmp_path)
    loaded = folder.load(tmp_path)
    folder.save(make("models/qwen3-tiny"), tmp_path)
    assert folder.load(tmp_path).config.stack.layer[0].qk_norm is not None
    assert loaded.embed.table.weight.isfinite().all()  # still mapped from the file that was replaced
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "model-00001-of-00001.safetensors").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.tensors, "write", full)
    with pytest.raises(OSError, match="No space"):
        folder.save(make(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def damage(tmp_path: Path, change: dict[str, Tensor | None]) -> None:
    folder.save(make(), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    kept = {name: tensor for name, tensor in (tensors | change).items() if tensor is not None}
    save_file(kept, tmp_path / "model.safetensors")


NORM = "model.layers.1.input_layernorm.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({NORM: None}, f"tensor {NORM} is missing"),
        ({NORM: torch.ones(49)}, rf"model.safetensors: tensor {NORM} is \(49,\), config.json makes it \(48,\)"),
        ({"extra.weight": torch.ones(2)}, "model.safetensors: tensor extra.weight has no place"),
    ],
)
def test_tensors_that_do_not_fit_are_named(change: dict[str, Tensor | None], message: str, tmp_path: Path) -> None:
    damage(tmp_path, change)
    with pytest.raises(UserError, match=message):
        folder.load(tmp_path)


def test_a_tied_head_may_be_written_but_not_differ(tmp_path: Path) -> None:
    folder.save(make("models/qwen2-tiny"), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, tmp_path / "model.safetensors")
    folder.load(tmp_path)
    save_file(tensors | {"lm_head.weight": tensors["lm_head.weight"] + 1}, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"lm_head.weight has no place"):
        folder.load(tmp_path)


def test_files_that_are_not_whole_are_named(tmp_path: Path) -> None:
    folder.save(make(), tmp_path)
    path = tmp_path / "model.safetensors"
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:50], b"", b"PK\x03\x04 a zip, as pickled models are"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"model.safetensors: truncated, or no safetensors file"):
            folder.load(tmp_path)
    path.rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model.bin: truncated, or no torch file"):
        folder.load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config.json: not valid JSON"):
        folder.load(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(UserError, match=r"no config.json"):
        folder.load(tmp_path)


def resident() -> int:
    """Bytes of memory this process holds that are not merely mapped from files."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) * 1024


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's memory figures")
def test_loading_maps_the_weights(tmp_path: Path) -> None:
    sizes = ["dim=512", "embed.vocab=20000", "stack.layer.1.hidden=2048"]
    folder.save(recipe.load(Decoder, "models/llama-tiny", sizes).build(), tmp_path)
    before = resident()
    model = folder.load(tmp_path)
    taken = resident() - before
    weights = sum(4 * parameter.numel() for parameter in model.parameters())
    assert weights > 100e6
    assert taken < 0.1 * weights
