"""Parameters that several ranks share: the piece that is here, and what all pieces together are.

Optimizers work on pieces, whose states are then shared as well (Rajbhandari et al. 2020, ZeRO: 1/N of the bytes on
each of N ranks), with the kernels and at the speed of whole tensors. A plain parameter is its own only piece.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

PIECE = "hornbook_piece"  # the attribute of a shared parameter under which its piece is kept


def is_shared(tensor: Tensor) -> bool:
    """Whether ranks share it."""
    return isinstance(tensor, DTensor)


def piece(tensor: Tensor) -> Tensor:
    """The numbers that are here, not copied."""
    return tensor._local_tensor if isinstance(tensor, DTensor) else tensor


def parameter_piece(parameter: nn.Parameter) -> nn.Parameter:
    """What an optimizer of this rank moves: the piece that is here as a parameter of its own, in the same memory."""
    if not isinstance(parameter, DTensor):
        return parameter
    found: nn.Parameter | None = getattr(parameter, PIECE, None)
    if found is None:
        found = nn.Parameter(parameter._local_tensor.detach())
        setattr(parameter, PIECE, found)
    return found


def hand_over(parameters: Iterable[nn.Parameter]) -> None:
    """Give every piece its piece of the gradient."""
    for parameter in parameters:
        if isinstance(parameter, DTensor):
            parameter_piece(parameter).grad = None if parameter.grad is None else piece(parameter.grad)


def shared_like(local: Tensor, parameter: Tensor) -> Tensor:
    """This rank's piece of something that is shared as a parameter is; numbers that all have alike as they are."""
    if not isinstance(parameter, DTensor) or not local.ndim:
        return local
    return DTensor.from_local(
        local,
        parameter.device_mesh,
        parameter.placements,
        run_check=False,
        shape=parameter.shape,
        stride=parameter.stride(),
    )


def own_piece(whole: Tensor, parameter: Tensor) -> Tensor:
    """This rank's piece of a whole tensor, cut as a parameter is; what is cut so already as it is, not copied."""
    if not isinstance(parameter, DTensor):
        return whole.full_tensor() if isinstance(whole, DTensor) else whole
    if isinstance(whole, DTensor):
        same = whole.device_mesh == parameter.device_mesh and whole.placements == parameter.placements
        whole = whole if same else whole.full_tensor()
    if isinstance(whole, DTensor):
        return whole._local_tensor
    cut = distribute_tensor(whole, parameter.device_mesh, parameter.placements, src_data_rank=None)
    return cut._local_tensor


@torch.no_grad()
def by_owners(
    pieces: Mapping[str, Tensor], like: Mapping[str, nn.Parameter], work: Callable[[str, Tensor], Tensor]
) -> dict[str, Tensor]:
    """`work(name, whole)` for each shared tensor, done by one rank each and the answers cut into pieces again.

    The wholes are gathered for as long as they are worked on; ranks take turns, so N of them do 1/N of the work each.
    """
    answers, turns = dict[str, Tensor](), defaultdict[object, int](int)
    for name, local in pieces.items():
        parameter = like[name]
        assert isinstance(parameter, DTensor)
        mesh = parameter.device_mesh
        owner = turns[mesh] % mesh.size()
        turns[mesh] += 1
        shared = shared_like(local, parameter)
        assert isinstance(shared, DTensor)
        whole = shared.full_tensor()
        coordinate = tuple(int(each) for each in torch.unravel_index(torch.tensor(owner), mesh.shape))
        if mesh.get_coordinate() == coordinate:
            whole = work(name, whole).contiguous()
        for dim, where in enumerate(coordinate):  # along each axis in turn: then all have the owner's answer
            dist.broadcast(whole, group=mesh.get_group(dim), group_src=where)
        answers[name] = own_piece(whole, parameter)
    return answers
