"""Tensors in files, of which there may be several; looked at before a single number is used.

safetensors are preferred. Their numbers stay in the file until they are used (memory-mapped), so a model costs its
weights once. A torch `.bin` is a pickle, which may hold a program: it is read only by torch's `weights_only` loader,
which runs none, and never written.
"""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import read_json

WHOLE = "model.safetensors"
LAYOUTS = (WHOLE, "pytorch_model.bin")  # each alone, or in parts that <name>.index.json lists
AGAIN = "copy or download it again"


class Tensors(Protocol):
    """Tensors by Hugging Face's names, wherever they are."""

    described: str
    """What says how large they are, for errors: config.json."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """All of them."""
        ...

    def get(self, name: str) -> Tensor:
        """One of them."""
        ...

    def place(self, name: str) -> str:
        """The file and the tensor, for errors; also of one that is missing."""
        ...


class TensorFiles:
    """Every tensor of a folder: which file it is in and what shape it has."""

    described = "config.json"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Path] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._pickled: dict[str, Tensor] = {}
        paths, listed = _paths(folder)
        for path in paths:
            tensors = _unpickled(path) if path.suffix == ".bin" else {}
            self._pickled |= tensors
            for name, shape in ({n: tuple(t.shape) for n, t in tensors.items()} or _shapes(path)).items():
                self.files[name], self.shapes[name] = path, shape
        for name, part in listed.items():
            if self.files.get(name) != folder / part:
                raise UserError(f"{folder / part}: tensor {name} is missing, though the index names it; {AGAIN}")

    def get(self, name: str) -> Tensor:
        """One tensor, mapped from its file."""
        if name in self._pickled:
            return self._pickled[name]
        with safe_open(self.files[name], "pt") as file:
            tensor: Tensor = file.get_tensor(name)
        return tensor

    def place(self, name: str) -> str:
        """The file and the tensor, for errors."""
        return f"{self.files.get(name, self.folder)}: tensor {name}"


def _paths(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """The files of a folder that hold its weights, and which tensor an index says is in which."""
    for name in LAYOUTS:
        if (folder / name).is_file():
            return [folder / name], {}
        index = folder / f"{name}.index.json"
        if index.is_file():
            listed = _listed(index)
            paths = [folder / part for part in sorted(set(listed.values()))]
            for path in paths:
                if not path.is_file():
                    raise UserError(f"{path}: missing, though {index.name} names it; copy the file too")
            return paths, listed
    found = next((path.name for path in sorted(folder.glob("*.*")) if path.suffix in (".bin", ".h5", ".msgpack")), None)
    beside = f", only {found}" if found else ""
    raise UserError(f"{folder}: neither {' nor '.join(LAYOUTS)} in it{beside}; a model folder has its weights in one")


def _listed(index: Path) -> dict[str, str]:
    """The weight_map of an index: tensor -> file."""
    content = read_json(index)
    listed = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(listed, dict) or not listed:
        raise UserError(f"{index}: has no weight_map; copy the file again")
    return {str(name): Path(str(part)).name for name, part in listed.items()}


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    try:
        path.open("rb").close()  # safetensors would call a file that may not be read missing
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  # no dict
    except (SafetensorError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path}: truncated, or no safetensors file ({reason}); {AGAIN}") from None


def read(path: Path) -> dict[str, Tensor]:
    """All tensors of one small safetensors file."""
    names = _shapes(path)
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in names}


def _unpickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a torch file, mapped where it is of torch's zip format (since 1.6)."""
    try:
        content: Any = torch.load(path, "cpu", weights_only=True, mmap=zipfile.is_zipfile(path) or None)
    except pickle.UnpicklingError as error:
        why = str(error).strip().splitlines()[0].partition(". ")[0]
        raise UserError(
            f"{path}: damaged, or it holds more than tensors, and that is not run ({why}); {AGAIN}"
        ) from None
    except Exception as error:  # bytes that are no pickle break torch's reader in as many ways as there are
        why = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
        raise UserError(f"{path}: truncated, or no torch file ({why}); {AGAIN}") from None
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path}: holds a {type(content).__name__}, not tensors by name; give the weights alone")
    for name, value in content.items():
        if not isinstance(value, Tensor):
            raise UserError(f"{path}: {name} is a {type(value).__name__}, not a tensor; give the weights alone")
    return {str(name): tensor.detach() for name, tensor in content.items()}


def write(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as one file, in the format other programs expect."""
    try:
        save_file({name: tensor.to("cpu") for name, tensor in tensors.items()}, path, metadata={"format": "pt"})
    except SafetensorError as error:
        raise UserError(f"{path}: cannot be written ({error}); free some space or name another folder") from None
