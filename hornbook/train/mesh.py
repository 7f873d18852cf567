"""How the processes of a training are laid out: which share rows, which weights, which layers, which tokens.

The axes, outermost first: `pipeline` (stages of layers; Huang et al. 2019, GPipe), `data` (replicas), `shard` (weights
and optimizer in pieces; Rajbhandari et al. 2020, ZeRO), `context` (a row's tokens) and `tensor` (a layer's matrices;
Shoeybi et al. 2019, Megatron-LM). What talks most is innermost, where ranks are neighbours. `expert` is no axis of its
own: it borrows ranks of data x shard.
"""

from dataclasses import dataclass
from typing import Literal

from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from hornbook.core.errors import RecipeError, UserError

AXES = ("pipeline", "data", "shard", "context", "tensor")
Schedule = Literal["gpipe", "1f1b", "interleaved"]


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """The layout of a training; docs/parallel.md explains every field."""

    data: int | None = None  # replicas (DDP); None: what the other axes leave of the processes
    shard: int = 1  # ranks that share weights, gradients and optimizer states
    zero: Literal[1, 2, 3] = 3  # what `shard` shares: 1 optimizer states, 2 gradients as well, 3 weights as well
    context: int = 1  # ranks that share a row's tokens
    tensor: int = 1  # ranks that share a layer's matrices and heads
    sequence: bool = True  # with tensor > 1: norms work on a share of the tokens, where the model allows it
    pipeline: int = 1  # stages that the layers are cut into
    schedule: Schedule = "1f1b"  # in which order a stage goes forwards and backwards through micro-batches
    expert: int = 1  # ranks (of data x shard) that share a mixture's experts

    def __post_init__(self) -> None:
        for name in (*AXES, "expert"):
            size = getattr(self, name)
            if size is not None and size < 1:
                raise RecipeError(f"{name}: {size} ranks cannot be; give 1 to leave this axis out, or more")

    @property
    def cell(self) -> int:
        """Ranks that hold one replica of the model together.

        >>> Mesh(shard=2, tensor=2).cell
        4
        """
        return self.shard * self.context * self.tensor * self.pipeline

    def sizes(self, world: int) -> dict[str, int]:
        """Ranks along each axis, outermost first; a world that cannot be divided so is the user's mistake.

        >>> Mesh(tensor=2).sizes(4)
        {'pipeline': 1, 'data': 2, 'shard': 1, 'context': 1, 'tensor': 2}
        """
        data = self.data or world // self.cell
        if data * self.cell != world:
            named = {"data": self.data, **{name: getattr(self, name) for name in AXES if name != "data"}}
            said = " x ".join(f"{name} {size}" for name, size in named.items() if size not in (None, 1)) or "1"
            near = self.cell * max(1, data)
            raise UserError(f"mesh: {said} does not divide {world} processes; start {near}, or change the mesh")
        if data * self.shard % self.expert:
            raise UserError(
                f"mesh: expert {self.expert} does not divide data x shard, {data * self.shard} ranks; take a divisor"
            )
        return {"pipeline": self.pipeline, "data": data} | {name: getattr(self, name) for name in AXES[2:]}

    def build(self, world: int, device: str) -> DeviceMesh:
        """torch's mesh of these axes, every one of them there; all processes come here together."""
        sizes = self.sizes(world)
        return init_device_mesh(device, tuple(sizes.values()), mesh_dim_names=tuple(sizes))
