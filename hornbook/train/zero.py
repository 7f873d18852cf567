"""Weights, gradients and optimizer states in pieces, one on each rank, on torch's FSDP2.

Rajbhandari et al. 2020, "ZeRO" (arXiv 1910.02054, section 5), and Zhao et al. 2023, "PyTorch FSDP". A layer's weights
are gathered when it is their turn; its gradients are summed and cut in the same message. Stage 1 gathers once a step
and sums once a step, stage 2 sums after every micro-batch, so that no rank holds a whole gradient, stage 3 forgets a
layer's weights as soon as it has been passed. Sums stay sums: the loop divides by the global count of trained tokens.
"""

from collections.abc import Iterator

from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from hornbook.model.stack import Layer


def share_weights(model: nn.Module, mesh: DeviceMesh, zero: int) -> None:
    """Cut a model into pieces, layer by layer, in place; a mesh of two axes is (replicas, pieces)."""
    for layer in [module for module in model.modules() if isinstance(module, Layer)]:
        fully_shard(layer, mesh=mesh, reshard_after_forward=zero == 3)
    fully_shard(model, mesh=mesh, reshard_after_forward=False)  # the head is called after the model's forward pass
    for module in shared_modules(model):
        module.set_gradient_divide_factor(1.0)
        module.set_force_sum_reduction_for_comms(True)  # gloo has no other


def shared_modules(model: nn.Module) -> Iterator[FSDPModule]:
    """What is gathered together, each."""
    return (module for module in model.modules() if isinstance(module, FSDPModule))


def before_backward(model: nn.Module, zero: int, *, last: bool) -> None:
    """Say whether this micro-batch is the step's last: what is summed and forgotten after it."""
    for module in shared_modules(model):
        module.set_is_last_backward(last)
        module.set_requires_gradient_sync(last or zero > 1, recurse=False)
        module.set_requires_all_reduce(last, recurse=False)  # among replicas: once a step
        module.set_reshard_after_backward(last or zero == 3, recurse=False)


def forget(model: nn.Module) -> None:
    """Let go of what was gathered: the parameters are pieces again."""
    for module in shared_modules(model):
        module.reshard()
