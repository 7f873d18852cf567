"""A stack of layers; a layer is a list of sublayers, each wrapped in a norm and a residual connection.

`[attention, mlp]`, `[mamba]`, `[attention, cross_attention, mlp]` are the same thing to this file. Where the norms
stand is residual.py's business, what a sublayer does its own.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hornbook.model.attention import Attention, SelfAttention
from hornbook.model.cross import CrossAttention
from hornbook.model.experts import Experts
from hornbook.model.gru import GRU
from hornbook.model.hyena import Hyena
from hornbook.model.mamba import Mamba
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.norm import LayerNorm, Norm
from hornbook.model.op import Context, State
from hornbook.model.parallel import Parallel
from hornbook.model.position import Absent, Place, PositionBase
from hornbook.model.positions import Position
from hornbook.model.record import record
from hornbook.model.residual import Placement, Residual, Stream, Wiring
from hornbook.model.rwkv import ChannelMix, TimeMix
from hornbook.model.search import AttentiveGRU
from hornbook.model.simplified import ShapedSelfAttention

Sublayer = (
    Attention
    | CrossAttention
    | MLP
    | GatedMLP
    | Experts
    | Parallel
    | Mamba
    | TimeMix
    | ChannelMix
    | Hyena
    | GRU
    | AttentiveGRU
)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """`layers` times the same layer, or named layers that take turns by `pattern`."""

    layers: int
    layer: tuple[Sublayer, ...] | dict[str, tuple[Sublayer, ...]]
    pattern: str | None = None  # "mma": the names of `layer` (one letter each) in turn, repeated to the top
    repeats: int = 1  # times each layer is applied in a row with the same weights (ALBERT)
    norm: Norm = field(default_factory=LayerNorm)
    placement: Placement = "pre"
    position: Position = field(default_factory=Absent)
    dropout: float = 0.0  # share of each sublayer's answer dropped while training

    def __post_init__(self) -> None:
        for name in ("layers", "repeats"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is no stack; give at least 1")
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

    def build(self, dim: int, length: int, width: int | None = None) -> "LayerStack":
        """width: channels of the embeddings that positions are added to, where not `dim`."""
        return LayerStack(dim, length, self, width or dim)


class LayerStack(nn.Module):
    """The layers and the norm above them. `checkpoint` (set by the training loop) trades time for memory."""

    def __init__(self, dim: int, length: int, config: Stack, width: int) -> None:
        super().__init__()
        wiring = Wiring(config.norm, config.placement, config.dropout)
        layers = [Layer([Residual(dim, op.build(dim), wiring) for op in layer]) for layer in config.plan()]
        heads, head_dim = _heads(dim, layers)
        self.checkpoint, self.repeats, self.dual = False, config.repeats, config.placement == "dual"
        self.position = config.position.build(Place(width, heads, head_dim, length))
        self.others = _other_positions(layers, length)
        self.layers = nn.ModuleList(layers)
        self.final_norm = nn.Identity() if config.placement == "post" else config.norm.build(dim)

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: State | None = None
    ) -> Float[Tensor, "batch time dim"]:
        played = self._play(x, context, state) if state is not None and x.shape[1] == 1 else None
        if played is not None:
            return played
        stream: Stream = (x, x) if self.dual else x
        for i in range(len(self.layers) * self.repeats):
            layer = self.layers[i // self.repeats]
            if self.checkpoint and self.training:  # keep only the layer's input; compute the rest again going back
                stream = checkpoint(layer, stream, context, use_reentrant=False)
            else:
                stream = layer(stream, context, state.layers[i] if state else None)
        total = stream[1] if isinstance(stream, tuple) else stream
        top: Tensor = self.final_norm(total)
        return stream[0] + top if isinstance(stream, tuple) else top

    def _play(self, x: Tensor, context: Context, state: State) -> Tensor | None:
        """The same for one token of every row in a single call, where that can be."""
        if torch.is_grad_enabled() or self.training or x.device.type != "cpu" or x.dtype != torch.float32:
            return None
        if state.tape is None and not torch.compiler.is_compiling():
            layers = [self.layers[i // self.repeats] for i in range(len(self.layers) * self.repeats)]
            state.tape = record(layers, self.final_norm, [self.position, *self.ways], x.shape[-1]) or False
        return state.tape.play(x, context, state) if state.tape else None

    @property
    def ways(self) -> list[PositionBase]:
        """The positions that some sublayers have in place of the stack's."""
        return [position for position in self.others if isinstance(position, PositionBase)]

    def new_state(self, batch: int, capacity: int) -> State:
        """Room to remember `capacity` tokens of `batch` rows."""
        layers = [layer for layer in self.layers if isinstance(layer, Layer)]
        return State([layer.new_state(batch, capacity) for layer in layers for _ in range(self.repeats)], capacity)


class Layer(nn.ModuleList):
    """The sublayers of one layer, in order."""

    def forward(self, x: Stream, context: Context, states: list[Any] | None = None) -> Stream:
        for i, residual in enumerate(self):
            x = residual(x, context, states[i] if states else None)
        return x

    def new_state(self, batch: int, capacity: int) -> list[Any]:
        return [residual.op.new_state(batch, capacity) for residual in self if isinstance(residual, Residual)]


def _attentions(layers: list[Layer]) -> list[SelfAttention]:
    return [module for layer in layers for module in layer.modules() if isinstance(module, SelfAttention)]


def _heads(dim: int, layers: list[Layer]) -> tuple[int, int]:
    """Heads and channels per head, for positions that are per head; a stack has one kind."""
    ops = [module for layer in layers for module in layer.modules()]
    kinds = {(op.heads, op.head_dim) for op in ops if isinstance(op, SelfAttention | ShapedSelfAttention)}
    for i, name in enumerate(("heads", "head_dim")):
        if len({kind[i] for kind in kinds}) > 1:
            raise ValueError(f"{name}: the layers disagree ({sorted(k[i] for k in kinds)}); give them all the same")
    return kinds.pop() if kinds else (1, dim)


def _other_positions(layers: list[Layer], length: int) -> nn.ModuleList:
    """The positions that some sublayers have in place of the stack's, each kind once; the sublayers are told theirs."""
    kinds: dict[Position, PositionBase] = {}
    for op in _attentions(layers):
        own = op.config.position
        if own is not None:
            kinds.setdefault(own, own.build(Place(0, op.heads, op.head_dim, length)))
            op.way = 1 + list(kinds).index(own)
    return nn.ModuleList(kinds.values())
