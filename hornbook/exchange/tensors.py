"""Tensors in safetensors files, of which there may be several; looked at before a single number is read.

The numbers stay in the file until they are used (memory-mapped), so a model costs its weights once. Pickle is not read.
"""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.core.files import read_json

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"


class TensorFiles:
    """Every tensor of a folder: which file it is in and what shape it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Path] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        for path in _paths(folder):
            for name, shape in _shapes(path).items():
                self.files[name], self.shapes[name] = path, shape

    def get(self, name: str) -> Tensor:
        """One tensor, mapped from its file."""
        with safe_open(self.files[name], "pt") as file:
            tensor: Tensor = file.get_tensor(name)
        return tensor


def _paths(folder: Path) -> list[Path]:
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    if (folder / INDEX).is_file():
        index = read_json(folder / INDEX)
        names = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(names, dict):
            raise UserError(f"{folder / INDEX}: has no weight_map; copy the file again")
        paths = [folder / Path(name).name for name in sorted(set(map(str, names.values())))]
        for path in paths:
            if not path.is_file():
                raise UserError(f"{path}: missing, though {INDEX} names it; copy the file too")
        return paths
    pickled = next(iter(sorted(folder.glob("*.bin"))), None)
    found = f"only {pickled.name}, and pickle is not read" if pickled else f"neither {WHOLE} nor {INDEX}"
    raise UserError(f"{folder}: {found}; a model folder has its weights as safetensors")


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    try:
        path.open("rb").close()  # safetensors would call a file that may not be read missing
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  # no dict
    except (SafetensorError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path}: truncated, or no safetensors file ({reason}); copy or download it again") from None


def write(tensors: dict[str, Tensor], path: Path) -> None:
    """Write tensors as one file, in the format other programs expect."""
    try:
        save_file({name: tensor.to("cpu") for name, tensor in tensors.items()}, path, metadata={"format": "pt"})
    except SafetensorError as error:
        raise UserError(f"{path}: cannot be written ({error}); free some space or name another folder") from None
