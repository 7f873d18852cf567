"""A stack of layers; a layer is a list of sublayers, each wrapped in a norm and a residual connection.

`[attention, mlp]`, `[mamba]`, `[attention, cross_attention, mlp]` are the same thing to this file. The norm stands
before the sublayer (`pre`: GPT-2; trains without a warm-up, Xiong et al. 2020) or after the sum (`post`: Vaswani et al.
2017). Not here yet: norms on both sides, sublayers side by side.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hornbook.model.attention import Attention
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.norm import LayerNorm, Norm
from hornbook.model.op import Context, Op, State
from hornbook.model.position import Absent, Position

Sublayer = Attention | MLP | GatedMLP


@dataclass(frozen=True, kw_only=True)
class Stack:
    """`layers` times the same layer, or named layers that take turns by `pattern`."""

    layers: int
    layer: tuple[Sublayer, ...] | dict[str, tuple[Sublayer, ...]]
    pattern: str | None = None  # "mma": the names of `layer` (one letter each) in turn, repeated to the top
    norm: Norm = field(default_factory=LayerNorm)
    placement: Literal["pre", "post"] = "pre"
    position: Position = field(default_factory=Absent)
    dropout: float = 0.0  # share of each sublayer's answer dropped while training

    def __post_init__(self) -> None:
        if self.layers < 1:
            raise ValueError(f"layers: {self.layers} is no stack; give at least 1")
        if isinstance(self.layer, dict) != (self.pattern is not None):
            raise ValueError(
                "pattern: goes with named layers; give both `layer: {a: [...]}` and `pattern: a`, or neither"
            )
        unknown = [name for name in self.pattern or "" if name not in self.layer]
        if unknown:
            raise ValueError(f"pattern: {self.pattern} names {unknown[0]}, which `layer` lacks; add it there")

    def plan(self) -> list[tuple[Sublayer, ...]]:
        """The sublayers of each layer, bottom to top."""
        if isinstance(self.layer, dict):
            assert self.pattern is not None
            return [self.layer[self.pattern[i % len(self.pattern)]] for i in range(self.layers)]
        return [self.layer] * self.layers

    def build(self, dim: int, length: int) -> "LayerStack":
        return LayerStack(dim, length, self)


class LayerStack(nn.Module):
    """The layers and the norm above them. `checkpoint` (set by the training loop) trades time for memory."""

    def __init__(self, dim: int, length: int, config: Stack) -> None:
        super().__init__()
        plan = config.plan()
        self.checkpoint = False
        self.position = config.position.build(dim, _head_dim(dim, plan), length)
        self.layers = nn.ModuleList(Layer([Residual(dim, op.build(dim), config) for op in layer]) for layer in plan)
        self.final_norm = config.norm.build(dim) if config.placement == "pre" else nn.Identity()

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: State | None = None
    ) -> Float[Tensor, "batch time dim"]:
        for i, layer in enumerate(self.layers):
            if self.checkpoint and self.training:  # keep only the layer's input; compute the rest again going back
                x = checkpoint(layer, x, context, use_reentrant=False)
            else:
                x = layer(x, context, state.layers[i] if state else None)
        top: Tensor = self.final_norm(x)
        return top

    def new_state(self, batch: int, capacity: int) -> State:
        """Room to remember `capacity` tokens of `batch` rows."""
        layers = [layer for layer in self.layers if isinstance(layer, Layer)]
        return State([layer.new_state(batch, capacity) for layer in layers], capacity)


class Layer(nn.ModuleList):
    """The sublayers of one layer, in order."""

    def forward(self, x: Tensor, context: Context, states: list[Any] | None = None) -> Tensor:
        for i, residual in enumerate(self):
            x = residual(x, context, states[i] if states else None)
        return x

    def new_state(self, batch: int, capacity: int) -> list[Any]:
        return [residual.op.new_state(batch, capacity) for residual in self if isinstance(residual, Residual)]


class Residual(nn.Module):
    """The stream plus what a sublayer says of it."""

    def __init__(self, dim: int, op: Op, config: Stack) -> None:
        super().__init__()
        self.placement = config.placement
        self.norm = config.norm.build(dim)
        self.op = op
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, context: Context, state: Any = None) -> Tensor:
        if self.placement == "pre":
            x = x + self.dropout(self.op(self.norm(x), context, state))
        else:
            x = self.norm(x + self.dropout(self.op(x, context, state)))
        return x


def _head_dim(dim: int, plan: list[tuple[Sublayer, ...]]) -> int:
    """The width that rotary positions turn: that of the first attention (they may not differ within a stack)."""
    widths = {op.width(dim) for layer in plan for op in layer if isinstance(op, Attention)}
    if len(widths) > 1:
        raise ValueError(f"head_dim: the layers disagree ({sorted(widths)}); give them all the same")
    return widths.pop() if widths else dim
