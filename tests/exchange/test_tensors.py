"""Weights in files: torch's `.bin` through its safe loader only, in parts or whole, and what is damaged is named."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.exchange import folder
from hornbook.model.decoder import Decoder


def write(path: Path, change: dict[str, Tensor | None], *, zipped: bool = True) -> dict[str, Tensor]:
    """A Llama whose weights are in pytorch_model.bin; `change` replaces some of its tensors, None removes one."""
    model = recipe.load(Decoder, "models/llama-tiny").build(torch.Generator().manual_seed(3))
    folder.save(model, path)
    (path / "model.safetensors").unlink()
    _, tensors = folder.take_apart(model)
    kept = {name: tensor for name, tensor in (tensors | change).items() if tensor is not None}
    torch.save(kept, path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    return tensors


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_a_torch_file_is_read(zipped: bool, tmp_path: Path) -> None:
    tensors = write(tmp_path, {}, zipped=zipped)
    _, read = folder.take_apart(folder.load(tmp_path))
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)


def test_torch_files_in_parts_are_read(tmp_path: Path) -> None:
    tensors = write(tmp_path, {})
    names = sorted(tensors)
    parts = {"pytorch_model-00001-of-00002.bin": names[:7], "pytorch_model-00002-of-00002.bin": names[7:]}
    (tmp_path / "pytorch_model.bin").unlink()
    for part, held in parts.items():
        torch.save({name: tensors[name] for name in held}, tmp_path / part)
    index = {"weight_map": {name: part for part, held in parts.items() for name in held}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    _, read = folder.take_apart(folder.load(tmp_path))
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)
    torch.save({names[0]: tensors[names[0]]}, tmp_path / "pytorch_model-00001-of-00002.bin")
    with pytest.raises(
        UserError, match=rf"00001-of-00002.bin: tensor {names[1]} is missing, though the index names it"
    ):
        folder.load(tmp_path)
    (tmp_path / "pytorch_model-00002-of-00002.bin").unlink()
    with pytest.raises(UserError, match=r"00002-of-00002.bin: missing, though pytorch_model.bin.index.json names it"):
        folder.load(tmp_path)


def test_safetensors_come_first(tmp_path: Path) -> None:
    write(tmp_path, {})
    (tmp_path / "pytorch_model.bin").rename(tmp_path / "aside")
    folder.save(recipe.load(Decoder, "models/llama-tiny").build(), tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"never looked at")
    folder.load(tmp_path)


class Program:
    """A pickle that, opened by pickle itself, makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_a_program_in_a_torch_file_is_refused_and_not_run(tmp_path: Path) -> None:
    write(tmp_path, {})
    victim = tmp_path / "made"
    torch.save({"w": torch.ones(2), "x": Program(victim)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model.bin: damaged, or it holds more than tensors, and that is not"):
        folder.load(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Program(victim)))
    with pytest.raises(UserError, match=r"pytorch_model.bin: "):
        folder.load(tmp_path)
    assert not victim.exists()


NORM = "model.layers.1.input_layernorm.weight"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({NORM: None}, f"tensor {NORM} is missing"),
        ({NORM: torch.ones(49)}, rf"pytorch_model.bin: tensor {NORM} is \(49,\), config.json makes it \(48,\)"),
        ({"extra.weight": torch.ones(2)}, r"pytorch_model.bin: tensor extra.weight has no place"),
        ({"epoch": 3}, r"pytorch_model.bin: epoch is a int, not a tensor"),
    ],
)
def test_tensors_that_do_not_fit_are_named(change: dict[str, Tensor | None], sentence: str, tmp_path: Path) -> None:
    write(tmp_path, change)
    with pytest.raises(UserError, match=sentence):
        folder.load(tmp_path)


def test_a_torch_file_that_is_not_whole_is_named(tmp_path: Path) -> None:
    write(tmp_path, {})
    path = tmp_path / "pytorch_model.bin"
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:70], whole[: len(whole) // 2], b"", b"not a model", b"\x80\x02."):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"pytorch_model.bin: (truncated|damaged|holds)"):
            folder.load(tmp_path)
    torch.save([torch.ones(2)], path)
    with pytest.raises(UserError, match=r"pytorch_model.bin: holds a list, not tensors by name"):
        folder.load(tmp_path)
    path.unlink()
    (tmp_path / "tf_model.h5").touch()
    with pytest.raises(UserError, match=r"neither model.safetensors nor pytorch_model.bin in it, only tf_model.h5"):
        folder.load(tmp_path)
