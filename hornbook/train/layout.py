"""What the training loop sees of a mesh: its share of the rows, sums over those who saw other tokens, one gradient.

`Ranks` is this for processes that each hold the whole model. Here ranks may hold pieces of it (zero.py, tensor.py), so
a norm is put together from pieces of several kinds, each counted once, which torch refuses to do; ranks that work on
the same rows are not counted twice; and all go through a step in as many passes, for each pass has messages in it.
"""

import dataclasses
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Batch
from hornbook.model.experts import ExpertsOp
from hornbook.objective.batch import Loss
from hornbook.optim.sharded import is_shared, piece
from hornbook.train import zero
from hornbook.train.mesh import Mesh
from hornbook.train.parallel import Ranks, Work
from hornbook.train.tensor import Owner, share_layers


@dataclass(frozen=True)
class Layout(Ranks):
    """This process in a mesh. Made once a training, by `lay_out`."""

    config: Mesh = dataclasses.field(default_factory=Mesh)
    mesh: DeviceMesh | None = None
    partial: Sequence[Owner] = ()  # parameters of which every tensor rank has a part of the gradient

    def size(self, axis: str) -> int:
        """Ranks along an axis."""
        assert self.mesh is not None
        return self.mesh[axis].size()

    def place(self, axis: str) -> int:
        """Where this rank is on an axis."""
        assert self.mesh is not None
        return self.mesh.get_local_rank(axis)

    @property
    def readers(self) -> int:
        """How many read rows of their own."""
        return self.size("data") * self.size("shard")

    @property
    def reader(self) -> int:
        """Which of them this rank is, or works with."""
        return self.place("data") * self.size("shard") + self.place("shard")

    @cached_property
    def tokens(self) -> dist.ProcessGroup:
        """The ranks that hold the same weights and see other tokens."""
        assert self.mesh is not None
        return self.mesh["data", "shard", "context"]._flatten("tokens").get_group()

    @property
    def noise(self) -> int:
        """What dropout is drawn from besides seed and step: ranks of one row and one token draw alike."""
        return self.reader * self.size("context") + self.place("context")

    def share(self, first_row: int, rows: int) -> range:
        """The rows of a step that are read here."""
        return Ranks(self.reader, self.readers).share(first_row, rows)

    def level(self, batches: list[Batch], spare: Callable[[], Batch]) -> list[Batch]:
        """As many batches on every rank: where there are fewer, some that train nothing, made of `spare` rows."""
        most = torch.tensor(len(batches))
        dist.all_reduce(most, dist.ReduceOp.MAX)
        if len(batches) == most:
            return batches
        rows = spare()
        blank = dataclasses.replace(rows, labels=torch.full_like(rows.labels, IGNORE))
        return batches + [blank] * (int(most) - len(batches))

    def add_up(self, *numbers: float) -> list[float]:
        """Each number summed over the tokens: of ranks that saw the same ones, one is heard."""
        heard = self.place("tensor") == 0
        return self.sum(*(number if heard else 0.0 for number in numbers))

    def backward(self, work: Work, batches: list[Batch]) -> Iterator[Loss]:
        """Gradients of the summed loss, micro-batch by micro-batch."""
        for i, batch in enumerate(batches):
            zero.before_backward(work.model, self.config.zero, last=i == len(batches) - 1)
            yield work.backward(batch)

    @torch.no_grad()
    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up gradients of whatever did not travel on the way back: pieces among their equals, in one message."""
        owners = [each for each in parameters if each.requires_grad]
        for parameter in owners:
            _settle(parameter)
        if self.size("tensor") > 1:
            assert self.mesh is not None
            _sum([module.get_parameter(name) for module, name in self.partial], self.mesh.get_group("tensor"))
        if self.config.shard == 1 and self.readers * self.size("context") > 1:
            _sum(owners, self.tokens)

    @torch.no_grad()
    def clip(self, parameters: Iterable[nn.Parameter], limit: float | None, *, scale: float = 1.0) -> float:
        """Multiply all gradients by `scale`, then shorten them to a global norm of `limit`; the norm in between."""
        owners = [each for each in parameters if each.grad is not None]
        assert self.mesh is not None
        alike = self.mesh.size() // self.size("pipeline")  # ranks that have the same weight, where it is whole
        gradients = [piece(each.grad) for each in owners if each.grad is not None]
        norms = [float(each) for each in torch._foreach_norm(gradients)] if gradients else []
        squares = sum(own**2 * _pieces(each) / alike for own, each in zip(norms, owners, strict=True))
        norm = math.sqrt(self.sum(squares)[0]) * scale
        factor = scale if limit is None else scale * min(1.0, limit / (norm + 1e-6))  # as in optim/groups.py
        if factor != 1.0 and gradients:
            torch._foreach_mul_(gradients, factor)
        return norm

    def rest(self, model: nn.Module) -> None:
        """Let go of weights that were gathered for a pass."""
        zero.forget(model)

    def assemble(self, model: nn.Module) -> None:
        """Make a trained model whole again, so that it can be written as any other."""
        zero.forget(model)
        for module in model.modules():
            for name, parameter in module._parameters.items():
                if isinstance(parameter, DTensor):
                    module._parameters[name] = nn.Parameter(parameter.detach().full_tensor(), parameter.requires_grad)


def lay_out(ranks: Ranks, config: Mesh | None, model: nn.Module) -> Ranks:
    """Give every rank its part of a model, in place; what the loop then sees."""
    if config is None:
        return ranks
    sizes = config.sizes(ranks.world)
    if ranks.world == 1:
        return ranks
    for axis in ("context", "pipeline", "expert"):
        if getattr(config, axis) > 1:
            raise UserError(f"mesh.{axis}: {getattr(config, axis)} ranks are not wired into the loop; set it to 1")
    if sizes["shard"] > 1 and any(isinstance(module, ExpertsOp) for module in model.modules()):
        raise UserError("mesh.shard: a mixture of experts is not cut into pieces yet; set it to 1, use data or tensor")
    device = next(model.parameters()).device.type
    mesh, partial = config.build(ranks.world, device), list[Owner]()
    if sizes["tensor"] > 1:
        partial = share_layers(model, mesh["tensor"], sequence=config.sequence)
    if sizes["shard"] > 1:
        logging.getLogger("torch.distributed.tensor._redistribute").setLevel(logging.ERROR)  # of pieces of pieces
        zero.share_weights(model, mesh["data", "shard"] if sizes["data"] > 1 else mesh["shard"], config.zero)
    return Layout(ranks.rank, ranks.world, config, mesh, partial)


def _settle(parameter: nn.Parameter) -> None:
    """A gradient that is shared lies as its parameter does: sums that are still open are taken."""
    gradient = parameter.grad
    if isinstance(gradient, DTensor) and isinstance(parameter, DTensor):
        if gradient.placements != parameter.placements:
            parameter.grad = gradient.redistribute(placements=parameter.placements)
    elif gradient is None:
        parameter.grad = torch.zeros_like(parameter)


def _sum(parameters: list[nn.Parameter], group: dist.ProcessGroup) -> None:
    """Gradients summed over a group, in one message."""
    pieces = [piece(each.grad) for each in parameters if each.grad is not None]
    if not pieces:
        return
    flat = torch.cat([each.reshape(-1) for each in pieces])
    dist.all_reduce(flat, group=group)
    for own, summed in zip(pieces, torch.split(flat, [each.numel() for each in pieces]), strict=True):
        own.copy_(summed.view_as(own))


def _pieces(parameter: nn.Parameter) -> int:
    """Into how many different pieces a parameter is cut."""
    if not is_shared(parameter):
        return 1
    assert isinstance(parameter, DTensor)
    mesh = parameter.device_mesh
    return math.prod(mesh.size(i) for i, how in enumerate(parameter.placements) if not how.is_replicate())
