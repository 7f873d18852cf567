"""Where every parameter lies on a mesh, counted on the meta device: bytes of a rank, and messages of a step.

Rows are cut as `fully_shard` cuts them: the first dimension in chunks of ceil(rows / ranks), so that the last ranks of
a small vector may hold nothing. `tensor` cuts matrices of layers evenly (columns before, rows after; Shoeybi et al.
2019, Megatron-LM), the embedding and head by words, and leaves vectors whole. Stages hold layers in runs of equal
length; the first also the embedding, the last what follows the layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from hornbook.core.errors import UserError
from hornbook.model.models import Model
from hornbook.model.stack import Layer
from hornbook.train.mesh import Mesh


@dataclass(frozen=True)
class Placed:
    """A parameter on a mesh."""

    name: str
    shape: tuple[int, ...]
    stage: int
    tensor: int  # ranks that share it as a matrix
    shard: int  # ranks that share its rows after that

    def numbers(self, place: int) -> int:
        """Of it on the rank that is `place`-th along `shard`."""
        if not self.shape:
            return 1
        total = 1
        for size in self.shape:
            total *= size
        rows = self.shape[0]
        chunk = -(-rows // self.shard)
        here = max(0, min(chunk, rows - place * chunk))
        return here * (total // rows) // self.tensor


def place(model: Model, mesh: Mesh) -> list[Placed]:
    """Every parameter of a design, a tied one once."""
    with torch.device("meta"):
        built: nn.Module = model.build()
    blocks = [name for name, module in built.named_modules() if isinstance(module, Layer)]
    if len(blocks) % mesh.pipeline:
        raise UserError(f"mesh.pipeline: {mesh.pipeline} stages do not divide {len(blocks)} layers; take a divisor")
    owner = {block: place * mesh.pipeline // len(blocks) for place, block in enumerate(blocks)}
    tables = {id(each.weight) for each in built.modules() if isinstance(each, nn.Embedding)}
    found = []
    for name, weight in built.named_parameters():
        block = next((each for each in _above(name) if each in owner), None)
        last = 0 if id(weight) in tables else mesh.pipeline - 1
        stage = owner[block] if block is not None else last
        cut = mesh.tensor if weight.dim() >= 2 and weight.numel() % mesh.tensor == 0 else 1
        found.append(Placed(name, tuple(weight.shape), stage, cut, mesh.shard))
    return found


def _above(name: str) -> Iterator[str]:
    """The modules that a parameter is in, innermost first."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def rank_numbers(placed: list[Placed], mesh: Mesh) -> dict[tuple[int, int], int]:
    """Parameters held by the ranks of a (stage, place along shard): all others are copies or other columns."""
    return {
        (stage, at): sum(each.numbers(at) for each in placed if each.stage == stage)
        for stage in range(mesh.pipeline)
        for at in range(mesh.shard)
    }


def collectives(layers: int, mesh: Mesh, passes: int) -> dict[str, int]:
    """Messages that a rank takes part in during a step, by kind; the root is a group of its own beside the layers."""
    groups = -(-layers // mesh.pipeline) + 1
    found: dict[str, int] = {}
    if mesh.shard > 1:
        again = {1: 1, 2: 1, 3: passes}[mesh.zero]
        backward = (groups - 1) * passes if mesh.zero == 3 else 0
        found["all_gather (shard)"] = groups * again + backward
        found["reduce_scatter (shard)"] = groups * (1 if mesh.zero == 1 else passes)
    if (mesh.data or 1) > 1:
        found["all_reduce (data)"] = groups if mesh.shard > 1 else 1  # without pieces: one message for all
    if mesh.tensor > 1:
        kinds = ("all_gather (tensor)", "reduce_scatter (tensor)") if mesh.sequence else ("all_reduce (tensor)",)
        found |= dict.fromkeys(kinds, 4 * (groups - 1) * passes)
    if mesh.pipeline > 1:
        found["send (pipeline)"] = 2 * passes  # of a stage in the middle: hidden states on, their gradients back
    return found
