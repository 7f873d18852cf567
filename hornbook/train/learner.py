"""What stands beside a language model while it learns from rewards, and goes when it is saved.

PPO's critic is one vector on the model's own hidden states; the coefficient of the divergence is a number that a
rollout may change. Both are parts of the model while it is trained, and so of its checkpoints, which makes a run that
was killed go on exactly.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hornbook.adapt.adapter import adapted
from hornbook.adapt.lora import Lora, LowRank
from hornbook.adapt.qlora import Qlora
from hornbook.objective.kl import Kl


class Critic(nn.Module):
    """How much reward is still to come, at every token; 0 at first."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(dim))  # a vector: it is not decayed, as no vector is
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, hidden: Float[Tensor, "*places dim"]) -> Float[Tensor, "*places"]:
        """Of each place."""
        return hidden.float() @ self.weight + self.bias


def prepare(model: nn.Module, kl: Kl | None, *, critic: int | None = None) -> None:
    """Put beside a model what its training keeps; `critic` is the width of its hidden states, None: it has none."""
    if kl is not None:
        model.register_buffer("kl_coefficient", torch.tensor(kl.coefficient, dtype=torch.float64))
    if critic is not None:
        model.critic = Critic(critic)


@contextmanager
def plain(model: nn.Module) -> Iterator[None]:
    """Within it the model is a language model and nothing else, to be saved."""
    buffer, critic = model._buffers.pop("kl_coefficient", None), model._modules.pop("critic", None)
    try:
        yield
    finally:
        if buffer is not None:
            model._buffers["kl_coefficient"] = buffer
        if critic is not None:
            model._modules["critic"] = critic


def reference_of(model: nn.Module) -> Callable[[], AbstractContextManager[nn.Module]]:
    """The model as it is now, for later: itself with its adapters silenced where that is the same, else a copy."""
    layers = [linear.adapter for linear in adapted(model).values() if isinstance(linear.adapter, LowRank)]
    if layers and all(type(layer.config) in (Lora, Qlora) and not layer.config.full for layer in layers):
        return lambda: _silenced(model, layers)
    kept = copy.deepcopy(model).eval().requires_grad_(False)
    return lambda: nullcontext(kept)


@contextmanager
def _silenced(model: nn.Module, layers: list[LowRank]) -> Iterator[nn.Module]:
    """The model without what its adapters have learned: their second matrices are 0, as at first."""
    before = [layer.up.data for layer in layers]
    try:
        for layer in layers:
            layer.up.data = torch.zeros_like(layer.up.data)
        yield model
    finally:
        for layer, numbers in zip(layers, before, strict=True):
            layer.up.data = numbers
