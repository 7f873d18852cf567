"""Checkpoints that are whole or not there: tensors in safetensors, the rest in JSON, no pickle.

Each is a folder `checkpoints/step-00001200/` with `model.safetensors`, `optimizer.safetensors`, `state.json` and a
`manifest.json` that holds every file's size and SHA-256; where many ranks train, each writes a file of its own
instead (saver.py, sharded.py). It is filled aside, fsynced and renamed, so a kill or a full disk leaves the one before
intact; a damaged one is named and the one before it is used.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.core.files import new_folder, read_json, sha256, write_json
from hornbook.exchange.tensors import write
from hornbook.optim.sharded import own_piece, piece
from hornbook.train.sharded import INDEX, Assembled

PREFIX = "step-"


@dataclass(frozen=True)
class Snapshot:
    """What a checkpoint holds, read back into memory."""

    model: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]
    state: dict[str, Any]


def save(folder: Path, step: int, snapshot: Snapshot) -> Path:
    """Write the checkpoint of a step; atomic."""
    path = folder / f"{PREFIX}{step:08d}"
    with new_folder(path) as aside:
        write(_plain(snapshot.model), aside / "model.safetensors")
        write(_plain(snapshot.optimizer), aside / "optimizer.safetensors")
        write_json(aside / "state.json", snapshot.state)
        files = {file.name: {"bytes": file.stat().st_size, "sha256": sha256(file)} for file in sorted(aside.iterdir())}
        write_json(aside / "manifest.json", files)
    return path


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter that learns, once (a tied head is its table), and the buffers a model keeps, by name.

    Frozen weights are those of the model that training began with, and come from there again.
    """
    learning = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    return {**learning, **dict(_kept_buffers(model))}


def _kept_buffers(model: nn.Module) -> list[tuple[str, Tensor]]:
    kept = set(model.state_dict(keep_vars=True))
    return [(name, buffer) for name, buffer in model.named_buffers() if name in kept]


@torch.no_grad()
def restore_weights(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy a snapshot's weights into a model, in place."""
    own = weights(model)
    if own.keys() != tensors.keys():
        odd = sorted(own.keys() ^ tensors.keys())[0]
        raise UserError(f"checkpoint: its tensors are not this recipe's ({odd} is only in one); use another --run")
    for name, tensor in own.items():
        if tensor.shape != tensors[name].shape:
            raise UserError(
                f"checkpoint: {name} has shape {tuple(tensors[name].shape)}, this recipe wants {tuple(tensor.shape)}; "
                "use another --run"
            )
        piece(tensor).copy_(own_piece(tensors[name], tensor))


def latest(folder: Path, note: Callable[[str], None]) -> Snapshot | None:
    """The newest whole checkpoint; `note` hears of every damaged one that is passed over."""
    for path in sorted(folder.glob(f"{PREFIX}*"), reverse=True):
        fault = damage(path)
        if fault is None:
            return read(path)
        note(f"{path}: damaged checkpoint ({fault}); going back to the one before it, or to the beginning")
    return None


def damage(path: Path) -> str | None:
    """What is wrong with a checkpoint folder, or None: every file is there with the size and hash of the manifest."""
    manifest = path / "manifest.json"
    if not manifest.is_file():
        return "manifest.json is missing"
    try:
        files = read_json(manifest)
    except UserError:
        return "manifest.json cannot be read"
    for name, wanted in files.items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != wanted["bytes"]:
            return f"{name} has {file.stat().st_size} bytes, not {wanted['bytes']}"
        if sha256(file) != wanted["sha256"]:
            return f"{name} has changed since it was written"
    return None


def read(path: Path) -> Snapshot:
    """A whole checkpoint's content, of one process or of many ranks."""
    if (path / INDEX).is_file():
        return Snapshot(Assembled(path, "model"), Assembled(path, "optimizer"), read_json(path / "state.json"))
    return Snapshot(
        _tensors(path / "model.safetensors"), _tensors(path / "optimizer.safetensors"), read_json(path / "state.json")
    )


def _tensors(path: Path) -> dict[str, Tensor]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a safetensors handle is no dict)


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints."""
    for path in sorted(folder.glob(f"{PREFIX}*"))[:-keep]:
        shutil.rmtree(path)
