"""Feed-forward sublayers: each token thinks by itself, in a wider space.

The plain MLP is Vaswani et al. 2017, section 3.3; the gated one (GLU, SwiGLU) is Shazeer 2020, where one projection
opens or closes the channels of another. ReLU squared is So et al. 2021. Not here: mixtures of experts.
"""
# ruff: noqa: ARG002 -- a sublayer takes the context and state of all sublayers; these need neither

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from hornbook.model.blank import Linear
from hornbook.model.cut import Cut, divides
from hornbook.model.op import Context, Op

Activation = Literal["relu", "relu2", "gelu", "gelu_tanh", "silu"]


def relu2(x: Tensor) -> Tensor:
    """max(x, 0)^2"""
    return F.relu(x).square()


def gelu_tanh(x: Tensor) -> Tensor:
    """GPT-2's approximation of GELU; on a CPU it takes twice the time of the exact one."""
    return F.gelu(x, approximate="tanh")


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu2": relu2,
    "gelu": F.gelu,
    "gelu_tanh": gelu_tanh,
    "silu": F.silu,
}


@dataclass(frozen=True, kw_only=True)
class MLP:
    """output(activation(up(x)))"""

    hidden: int  # channels inside; most models take 4 * dim
    activation: Activation = "gelu"
    bias: bool = False

    def __post_init__(self) -> None:
        _check_hidden(self.hidden)

    def build(self, dim: int) -> Op:
        return FeedForward(dim, self)


@dataclass(frozen=True, kw_only=True)
class GatedMLP:
    """output(activation(gate(x)) * up(x)); SwiGLU with silu, GEGLU with gelu"""

    hidden: int  # channels inside; 8/3 * dim has the parameters of a plain MLP of 4 * dim
    activation: Activation = "silu"
    bias: bool = False

    def __post_init__(self) -> None:
        _check_hidden(self.hidden)

    def build(self, dim: int) -> Op:
        return GatedFeedForward(dim, self)


def _check_hidden(hidden: int) -> None:
    if hidden < 1:
        raise ValueError(f"hidden: {hidden} channels hold nothing; give at least 1")


class FeedForward(Op):
    plan: ClassVar[Mapping[str, Cut]] = {"up": "columns", "output": "rows"}

    def __init__(self, dim: int, config: MLP) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.up = Linear(dim, config.hidden, bias=config.bias)
        self.output = Linear(config.hidden, dim, bias=config.bias)

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: Any = None
    ) -> Float[Tensor, "batch time dim"]:
        answer: Tensor = self.output(self.activation(self.up(x)))
        return answer

    def cut(self, ranks: int) -> None:
        """Channels inside are shared."""
        divides(ranks, hidden=self.output.in_features)


class GatedFeedForward(Op):
    plan: ClassVar[Mapping[str, Cut]] = {"gate": "columns", "up": "columns", "output": "rows"}

    def __init__(self, dim: int, config: GatedMLP) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.gate = Linear(dim, config.hidden, bias=config.bias)
        self.up = Linear(dim, config.hidden, bias=config.bias)
        self.output = Linear(config.hidden, dim, bias=config.bias)

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: Any = None
    ) -> Float[Tensor, "batch time dim"]:
        answer: Tensor = self.output(self.activation(self.gate(x)) * self.up(x))
        return answer

    def cut(self, ranks: int) -> None:
        """Channels inside are shared."""
        divides(ranks, hidden=self.output.in_features)
