"""Writes down the layers of a stack as a tape (tape.py), where every one of them is made of steps that a tape has.

Those are: attention over itself, MLPs plain and gated, several of them side by side, norms before or after, positions
that turn queries and keys or were added below; matrices in fp32 or packed. Any other stack has no tape.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hornbook.model import native, tape
from hornbook.model.attend import Attend
from hornbook.model.attention import SelfAttention
from hornbook.model.blank import Linear
from hornbook.model.head_norm import NormAcrossHeads
from hornbook.model.mlp import ACTIVATIONS, FeedForward, GatedFeedForward
from hornbook.model.parallel import ParallelOp
from hornbook.model.position import PositionBase
from hornbook.model.quantised import Packed
from hornbook.model.residual import Residual
from hornbook.model.rope import RopePosition
from hornbook.model.tape import Tape

MATRICES = {kind: number for number, kind in enumerate(native.KINDS)}
NUMBERS = {name: number for number, name in enumerate(ACTIVATIONS)}


class Unfit(Exception):
    """A tape has no step for this."""


def record(
    layers: Sequence[nn.Module], final_norm: nn.Module, positions: Sequence[PositionBase], dim: int
) -> Tape | None:
    """The tape of these layers, bottom to top; None where something in them is no step of a tape.

    positions: the stack's, then the others that sublayers may have in its place.
    """
    recorder = Recorder(Tape(dim), positions)
    try:
        _check(native.there())
        for number, layer in enumerate(layers):
            for place, residual in enumerate(layer.children()):
                recorder.residual(residual, [number, place])
        recorder.tape.top = recorder.norm(final_norm, 0, dim)
    except Unfit:
        return None
    return recorder.tape


class Recorder:
    """A tape that becomes longer. Places are counted in numbers of one row; the stream stands at 0."""

    def __init__(self, tape: Tape, positions: Sequence[PositionBase]) -> None:
        self.tape, self.positions, self.dim = tape, positions, tape.dim
        self.rooms: dict[tuple[str, int], int] = {}

    def room(self, name: str, width: int) -> int:
        """The place of a vector, the same for every layer: none outlives its sublayer."""
        if (name, width) not in self.rooms:
            self.rooms[name, width] = self.tape.room(width)
        return self.rooms[name, width]

    def residual(self, residual: nn.Module, place: list[int]) -> None:
        """What residual.py does."""
        _check(isinstance(residual, Residual) and not _watched(residual))
        assert isinstance(residual, Residual)
        placement, read = residual.placement, 0
        _check(placement in ("pre", "post", "sandwich", "output"))
        if placement in ("pre", "sandwich"):
            read = self.norm(residual.norm, 0, self.dim)
        said = self.op(residual.op, read, place)
        if placement in ("sandwich", "output"):
            said = self.norm(residual.after if placement == "sandwich" else residual.norm, said, self.dim)
        self.tape.add(tape.ADD, inputs=self.dim, **_from(said), to=0)
        if placement == "post":
            normed = self.norm(residual.norm, 0, self.dim)
            self.tape.add(tape.COPY, inputs=self.dim, **_from(normed), to=0)

    def op(self, op: nn.Module, read: int, place: list[int]) -> int:
        """A sublayer that reads at `read`; where its answer stands."""
        if type(op) is SelfAttention:
            return self.attention(op, read, place)
        if type(op) is FeedForward:
            return self.feed_forward(op, read)
        if type(op) is GatedFeedForward:
            return self.gated(op, read)
        _check(type(op) is ParallelOp and op.gains is None)
        assert isinstance(op, ParallelOp)
        total = self.room("sum", self.dim)
        for number, (norm, branch) in enumerate(zip(op.norms, op.branches, strict=True)):
            said = self.op(branch, self.norm(norm, read, self.dim), [*place, number])
            self.tape.add(tape.ADD if number else tape.COPY, inputs=self.dim, **_from(said), to=total)
        return total

    def attention(self, op: SelfAttention, read: int, place: list[int]) -> int:
        """What attention.py does, for one token."""
        config, width = op.config, op.head_dim
        _check(type(op.attend) is Attend and config.causal)
        queries, shared = op.heads * width, op.kv_heads * width
        every = self.room("queries, keys, values", queries + 2 * shared)
        q, k, v = every, every + queries, every + queries + shared
        for number, (linear, to) in enumerate(((op.query, q), (op.key, k), (op.value, v))):
            self.product(linear, read, to, again=number > 0, most=config.clip or 0.0)
        for norm, to, heads in ((op.query_norm, q, op.heads), (op.key_norm, k, op.kv_heads)):
            normed = self.head_norm(norm, to, heads, width)
            if normed != to:
                self.tape.add(tape.COPY, inputs=heads * width, **_from(normed), to=to)
            self.turn(op.way, to, heads, width)
        self.tape.attentions.append(place)
        answer, scale = self.room("answer", queries), config.scale or 1 / math.sqrt(width)
        self.tape.add(
            tape.ATTEND,
            **_from(q),
            other=k,
            to=answer,
            inputs=op.heads,
            outputs=op.kv_heads,
            width=width,
            limit=config.window or 0,
            number=scale,
            bound=config.soft_cap or 0.0,
        )
        return self.product(op.output, answer, self.room("said", self.dim))

    def turn(self, way: int, to: int, heads: int, width: int) -> None:
        """Positions written into queries or keys."""
        position = self.positions[way]
        _check(type(position).bias is PositionBase.bias)
        if not isinstance(position, RopePosition):
            _check(type(position).rotate is PositionBase.rotate)
            return
        if way not in self.tape.turning:
            self.tape.turning.append(way)
        kind = self.tape.turning.index(way)
        self.tape.add(tape.TURN, kind=kind, inputs=heads, width=width, limit=position.width, to=to)

    def head_norm(self, norm: nn.Module, to: int, heads: int, width: int) -> int:
        """The norm of each head, or of all as one vector."""
        if isinstance(norm, NormAcrossHeads):
            return self.norm(norm.whole, to, heads * width)
        return self.norm(norm, to, width, heads)

    def feed_forward(self, op: FeedForward, read: int) -> int:
        """What mlp.py does."""
        hidden = self.product(op.up, read, self.room("hidden", op.up.out_features))
        self.tape.add(tape.ACTIVATE, inputs=op.up.out_features, kind=_kind(op), to=hidden)
        return self.product(op.output, hidden, self.room("said", self.dim))

    def gated(self, op: GatedFeedForward, read: int) -> int:
        """What mlp.py does."""
        width = op.up.out_features
        gate, up = self.room("gate", width), self.room("hidden", width)
        self.product(op.gate, read, gate)
        self.product(op.up, read, up, again=True)
        self.tape.add(tape.GATE, inputs=width, kind=_kind(op), **_from(gate), to=up)
        return self.product(op.output, up, self.room("said", self.dim))

    def product(self, linear: Linear, read: int, to: int, *, again: bool = False, most: float = 0.0) -> int:
        """A matrix, packed or as it is. again: the vector is the one of the product before."""
        _check(not _watched(linear))
        packed, kind, numbers, scales = linear.adapter, "fp32", linear.weight.detach(), None
        if packed is not None:
            _check(isinstance(packed, Packed) and packed.product is not None and packed.few)  # 0: torch's is faster
            assert isinstance(packed, Packed)
            kind, numbers, scales = packed.kind, packed.numbers, packed.scales
        _check(numbers.device.type == "cpu" and numbers.is_contiguous())
        _check(kind != "fp32" or numbers.dtype == torch.float32)
        if kind == "fp32":
            self.tape.most = native.FEW
        self.tape.add(
            tape.PRODUCT,
            kind=MATRICES[kind],
            inputs=linear.in_features,
            outputs=linear.out_features,
            matrix=numbers,
            scales=scales,
            bias=self.kept(linear.bias),
            limit=int(again),
            bound=most,
            **_from(read),
            to=to,
        )
        return to

    def norm(self, norm: nn.Module, read: int, width: int, vectors: int = 1) -> int:
        """A norm of `vectors` vectors that stand at `read`; where they stand afterwards."""
        if isinstance(norm, nn.Identity):
            return read
        _check(isinstance(norm, nn.LayerNorm | nn.RMSNorm) and not _watched(norm))
        assert isinstance(norm, nn.LayerNorm | nn.RMSNorm)
        gain: Tensor | None = norm.weight
        if gain is not None and hasattr(norm, "neutral"):  # zero_centered
            gain = 1 + gain.detach().float()
        to = self.room("normed", width * vectors)
        self.tape.add(
            tape.NORM,
            kind=int(isinstance(norm, nn.LayerNorm)),
            inputs=width,
            outputs=vectors,
            number=norm.eps,
            matrix=self.kept(gain),
            bias=self.kept(getattr(norm, "bias", None)),
            **_from(read),
            to=to,
        )
        return to

    def kept(self, numbers: Tensor | None) -> Tensor | None:
        """In fp32, for as long as the tape is there."""
        if numbers is None:
            return None
        self.tape.kept.append(numbers.detach().float().contiguous())
        return self.tape.kept[-1]


def _from(place: int) -> dict[str, int]:
    return {"from": place}  # a word of Python's own


def _kind(op: FeedForward | GatedFeedForward) -> int:
    return next(NUMBERS[name] for name, function in ACTIVATIONS.items() if function is op.activation)


def _watched(module: nn.Module) -> bool:
    """Somebody wants to see what goes through it."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _check(fits: object) -> None:
    if not fits:
        raise Unfit
