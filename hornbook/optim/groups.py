"""Which parameter is treated how, and what happens to all gradients at once.

The rule: matrices inside the layers and an untied head decay; norms, biases and other vectors do not (they set scales,
and shrinking them is no prior on anything); embedding tables do not either, tied ones included (OLMo 2, section 3:
decay shrinks rows of rare tokens towards zero and the gradients of early layers grow). Muon takes the layers'
matrices only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from hornbook.optim.sharded import own_piece, parameter_piece, shared_like


class Optimizer(Protocol):
    """What the training loop needs. State is tensors by name: no pickle, bit-exact when put back."""

    def step(self) -> None: ...

    def zero_grad(self) -> None: ...

    def set_lr(self, multiplier: float) -> None: ...

    @property
    def lr(self) -> float: ...

    def state_tensors(self) -> dict[str, Tensor]: ...

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None: ...


@dataclass
class Groups:
    """The trainable parameters of a model by name, each in exactly one group."""

    matrices: dict[str, nn.Parameter] = field(default_factory=dict)  # (rows, columns, ...) inside the layers
    head: dict[str, nn.Parameter] = field(default_factory=dict)  # an untied output table, (vocab, dim)
    tables: dict[str, nn.Parameter] = field(default_factory=dict)  # embeddings, (vocab or length, dim)
    vectors: dict[str, nn.Parameter] = field(default_factory=dict)  # gains, biases


def split(model: nn.Module) -> Groups:
    """Sort the parameters that are to be trained; a tied table counts once, as a table."""
    groups = Groups()
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if id(parameter) in tables:
            groups.tables[name] = parameter
        elif parameter.ndim < 2:
            groups.vectors[name] = parameter
        elif name.startswith("head."):
            groups.head[name] = parameter
        else:
            groups.matrices[name] = parameter
    return groups


@torch.no_grad()
def clip(parameters: Iterable[nn.Parameter], limit: float | None, *, scale: float = 1.0) -> Tensor:
    """Multiply all gradients by `scale`, then shorten them to a global norm of `limit`; return the norm in between.

    Two things in one pass over the gradients: `scale` is where a loop that summed losses divides by the global count of
    trained tokens. None as limit only measures. The same numbers as torch's `clip_grad_norm_`.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return torch.zeros(())
    norms = torch._foreach_norm(gradients)
    norm: Tensor = torch.linalg.vector_norm(torch.stack([each.to(norms[0].device) for each in norms])) * scale
    factor = torch.full_like(norm, scale)
    if limit is not None:
        factor = factor * (limit / (norm + 1e-6)).clamp(max=1.0)  # 1e-6: torch's guard against a norm of 0
    if factor.device.type != "cpu" or factor.item() != 1.0:  # reading it is free on a CPU and a wait on a GPU
        torch._foreach_mul_(gradients, factor)
    return norm


def flat_state(optimizer: torch.optim.Optimizer, names: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    """The state of a torch optimizer as `{parameter name/state name: tensor}`, not copied."""
    return {
        f"{name}/{key}": shared_like(value, parameter)
        for name, parameter in names.items()
        for key, value in optimizer.state.get(parameter_piece(parameter), {}).items()
    }


def load_flat_state(
    optimizer: torch.optim.Optimizer, names: dict[str, nn.Parameter], tensors: Mapping[str, Tensor]
) -> None:
    """Put back what `flat_state` gave; a name that belongs to no parameter is an error."""
    optimizer.state.clear()
    for full, value in tensors.items():
        name, _, key = full.rpartition("/")
        if name not in names:
            raise ValueError(f"{full}: optimizer state for a parameter the model has not; was the recipe changed?")
        parameter = names[name]
        if value.ndim and value.shape != parameter.shape:
            was, now = tuple(value.shape), tuple(parameter.shape)
            raise ValueError(f"{full}: shape {was} does not fit the parameter's {now}; was the recipe changed?")
        device, local = (parameter.device, own_piece(value, parameter)) if value.ndim else (value.device, value)
        optimizer.state[parameter_piece(parameter)][key] = local.to(device, copy=True)
