"""Tensors of many ranks in many files: every rank writes the pieces it has, any number of ranks reads what it needs.

A rank's pieces lie in `rank-00003.safetensors`; `pieces.json` says of every tensor its whole shape and, for each piece,
where in it it begins and in which file it is. A piece that several ranks hold is written by one of them. Nothing here
is pickled, as torch.distributed.checkpoint's `.metadata` is. Whole tensors are put together one at a time, when asked
for: a reader reads all of a tensor although it may keep a slice.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

from hornbook.core.errors import UserError
from hornbook.core.files import read_json

INDEX = "pieces.json"
SEPARATOR = "/"  # between the kind (model, optimizer) and the name
Where = tuple[str, tuple[int, ...]]  # a tensor, and where in it a piece begins


@dataclass(frozen=True)
class Piece:
    """A block of a tensor."""

    tensor: Tensor  # what is here
    shape: tuple[int, ...]  # of the whole
    offsets: tuple[int, ...]  # of the block's first number


def file_of(rank: int) -> str:
    """Where a rank's pieces lie."""
    return f"rank-{rank:05d}.safetensors"


def cut(tensors: Mapping[str, Tensor]) -> dict[str, Piece]:
    """The pieces that are here; of a tensor that more ranks have than numbers, maybe none."""
    found = dict[str, Piece]()
    for name, tensor in tensors.items():
        if isinstance(tensor, DTensor):
            where = compute_local_shape_and_global_offset(tensor.shape, tensor.device_mesh, tensor.placements)[1]
            found[name] = Piece(tensor._local_tensor, tuple(tensor.shape), tuple(where))
        else:
            found[name] = Piece(tensor, tuple(tensor.shape), (0,) * tensor.ndim)
    return {name: piece for name, piece in found.items() if piece.tensor.numel() or not math.prod(piece.shape)}


def owners(held: list[list[tuple[str, tuple[int, ...], int]]]) -> dict[Where, int]:
    """Who writes each piece, given (name, offsets, bytes) of all pieces of every rank: who has least to write so far.

    >>> owners([[("a", (0,), 8), ("b", (0,), 8)], [("a", (0,), 8), ("b", (0,), 8)]])
    {('a', (0,)): 0, ('b', (0,)): 1}
    """
    holders, size = defaultdict[Where, list[int]](list), dict[Where, int]()
    for rank, pieces in enumerate(held):
        for name, offsets, many in pieces:
            holders[name, tuple(offsets)].append(rank)
            size[name, tuple(offsets)] = many
    load, found = [0] * len(held), dict[Where, int]()
    for where, ranks in sorted(holders.items()):  # a resumed optimizer may list its states in another order
        found[where] = min(ranks, key=lambda rank: load[rank])
        load[found[where]] += size[where]
    return found


def describe(pieces: Mapping[str, Piece], file: str) -> list[dict[str, Any]]:
    """One rank's lines of the index."""
    return [
        {
            "name": name,
            "dtype": str(piece.tensor.dtype).removeprefix("torch."),
            "shape": list(piece.shape),
            "file": file,
            "offsets": list(piece.offsets),
            "block": list(piece.tensor.shape),
        }
        for name, piece in pieces.items()
    ]


def index(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """All ranks' lines by tensor; one that the pieces do not fill is named."""
    found = dict[str, Any]()
    for line in lines:
        about = found.setdefault(line["name"], {"dtype": line["dtype"], "shape": line["shape"], "pieces": []})
        about["pieces"].append({key: line[key] for key in ("file", "offsets", "block")})
    for name, about in found.items():
        there, wanted = sum(math.prod(each["block"]) for each in about["pieces"]), math.prod(about["shape"])
        if there != wanted:
            raise UserError(f"checkpoint: {name} has {wanted} numbers and the ranks hold {there}; use another mesh")
    return found


class Assembled(Mapping[str, Tensor]):
    """The whole tensors of one kind in a checkpoint of pieces, each put together when it is asked for."""

    def __init__(self, folder: Path, kind: str):
        self.folder, self.prefix = folder, kind + SEPARATOR
        self.about: dict[str, Any] = read_json(folder / INDEX)
        self.last: tuple[str, Tensor] | None = None  # a reader asks for shape and numbers in turn

    def __getitem__(self, name: str) -> Tensor:
        if self.last is None or self.last[0] != name:
            self.last = name, self._whole(self.prefix + name)
        return self.last[1]

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(self.prefix) for name in self.about if name.startswith(self.prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _whole(self, name: str) -> Tensor:
        about = self.about[name]
        whole = torch.empty(about["shape"], dtype=getattr(torch, about["dtype"]))
        for piece in about["pieces"]:
            with safe_open(self.folder / piece["file"], framework="pt") as file:
                block: Tensor = file.get_tensor(name)
            place = [slice(first, first + many) for first, many in zip(piece["offsets"], piece["block"], strict=True)]
            whole[tuple(place)] = block
        return whole
