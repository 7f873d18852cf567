"""What every sublayer is: it reads the stream and returns what to add to it; while decoding it may keep a state.

`Context` is what the sublayers of one forward pass share: where each token stands and who may look at whom. `State` is
what a model remembers between two forward passes while it writes a text. Neither knows what the sublayers do.
"""
# ruff: noqa: ARG002 -- the defaults take the arguments of the methods that override them

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from hornbook.model.balance import Routed
from hornbook.model.cut import Cut
from hornbook.model.mask import Sight
from hornbook.model.position import PositionBase


@dataclass
class Context:
    """What the sublayers of one forward pass share. Made once per pass, so that its tensors are computed once."""

    position: PositionBase
    positions: Int[Tensor, "rows time"]  # rows is 1 where every row counts alike
    sight: Sight
    like: Tensor | None = None  # the stream, whose type the rotations take; None: fp32
    others: Sequence[PositionBase] = ()  # positions that some sublayers have in place of the stack's
    memory: Float[Tensor, "batch places dim"] | None = None  # what an encoder said, for cross-attention
    memory_real: Bool[Tensor, "batch places"] | None = None  # False where the encoder read padding
    turns: dict[int, Any] = field(default_factory=dict)
    masks: dict[tuple[int, bool, int | None], Tensor | None] = field(default_factory=dict)
    documents: list[list[tuple[int, int, int]] | None] = field(default_factory=list)  # found once, by the first to ask
    routed: list[Routed] = field(default_factory=list)  # where experts sent the tokens of a training pass

    def rotate(
        self, heads: Float[Tensor, "batch time heads head_dim"], way: int = 0
    ) -> Float[Tensor, "batch time heads head_dim"]:
        """Write the positions into queries or keys (RoPE); other positions leave them as they are.

        way: 0 for the stack's position, 1 and up for `others`.
        """
        return self._position(way).rotate(heads, self.turn(way))

    def turn(self, way: int) -> Any:
        """What the positions need for `rotate`, computed once."""
        if way not in self.turns:
            like = self.like if self.like is not None else torch.zeros((), device=self.positions.device)
            self.turns[way] = self._position(way).prepare(self.positions, like)
        return self.turns[way]

    def mask(self, *, causal: bool, window: int | None, way: int = 0) -> Tensor | None:
        """What to add to the attention scores or hide from them; None where plain attention says it all."""
        kind = way, causal, window
        if kind not in self.masks:
            bias = self._position(way).bias(*self.sight.indices(self.positions.device))
            visible = self.sight.visible(self.positions.device, causal=causal, window=window, always=bias is not None)
            if bias is not None and visible is not None:
                bias = bias.masked_fill(~visible, float("-inf"))
            self.masks[kind] = visible if bias is None else bias
        return self.masks[kind]

    def spans(self, *, window: int | None, way: int = 0) -> list[tuple[int, int, int]] | None:
        """The documents of packed rows, where attention may go through them one by one instead of hiding the rest.

        On a CPU that is less work: n documents in a row make n times fewer scores. A graphics card wants one call.
        """
        packed = self.sight.documents is not None and self.sight.documents.device.type == "cpu"
        if not packed or window is not None or torch.compiler.is_compiling():
            return None
        if type(self._position(way)).bias is not PositionBase.bias:
            return None
        if not self.documents:
            self.documents.append(self.sight.spans())
        return self.documents[0]

    def real(self, time: int) -> Bool[Tensor, " tokens"] | None:
        """False for padding among the `time` tokens of this pass, all rows in one; None where there is none."""
        return None if self.sight.real is None else self.sight.real[:, -time:].flatten()

    def _position(self, way: int) -> PositionBase:
        return self.others[way - 1] if way else self.position


@dataclass(frozen=True)
class Grows:
    """How what is remembered becomes longer with the text: a field of a state says so for its tensors.

    columns: a token stands at `State.length` and the next behind it, in every row; padding takes a column too.
    steps: the n-th token of a row stands at n; padding takes none.
    source: as long as what an encoder read; never changed.
    """

    by: Literal["columns", "steps", "source"] | None = None  # None: of one size for texts of any length
    dim: int = 0  # which of the tensor's dimensions it is


STILL = Grows()


@dataclass
class State:
    """What a model remembers while decoding. Setting `length` back forgets the tokens after it (attention only)."""

    layers: list[list[Any]]  # per layer and sublayer: what its `new_state` made
    capacity: int  # tokens there is room for
    length: int = 0  # tokens seen so far, padding included
    # What the encoder said of the source, and where that is padding:
    memory: Float[Tensor, "batch places dim"] | None = field(default=None, metadata={"grows": Grows("source", 1)})
    memory_real: Bool[Tensor, "batch places"] | None = field(default=None, metadata={"grows": Grows("source", 1)})
    tape: Any = field(default=None, metadata={"per_row": False})  # see tape.py; None: not asked for, False: none


def change_each(change: Callable[..., Tensor | None], kept: Any, *others: Any, grows: Grows = STILL) -> Any:
    """A state, or a part of one, with every tensor changed that has a row for each text.

    `change(grows, tensor, ...)` is told how the tensor becomes longer with the text; of `others`, states of the same
    model, it is given what stands in the same place. A field says how its tensors grow by `metadata={"grows": ...}`,
    and by `metadata={"per_row": False}` that they are shared by all rows.
    """
    if isinstance(kept, Tensor):
        return change(grows, kept, *others)
    if isinstance(kept, list | tuple):
        beside = zip(*(other if other is not None else [None] * len(kept) for other in others), strict=True)
        together = zip(kept, beside, strict=True) if others else ((each, ()) for each in kept)
        return type(kept)(change_each(change, each, *rest, grows=grows) for each, rest in together)
    if is_dataclass(kept) and not isinstance(kept, type):
        parts = [each for each in fields(kept) if each.metadata.get("per_row", True)]
        found = {}
        for part in parts:
            mine, *theirs = (getattr(one, part.name) for one in (kept, *others))
            found[part.name] = change_each(change, mine, *theirs, grows=part.metadata.get("grows", STILL))
        return replace(kept, **found)
    return kept


def choose_rows(kept: Any, rows: Int[Tensor, " chosen"]) -> Any:
    """A state, or a part of one, for these rows of its batch: some may be left out, others there several times."""
    return change_each(lambda _, tensor: tensor.index_select(0, rows), kept)


class Op(nn.Module):
    """A sublayer. The matrix with which it writes into the stream is called `output` (init.py relies on it)."""

    own_norm = False  # True: it norms its input itself and is given the stream as it is
    plan: ClassVar[Mapping[str, Cut] | None] = None  # how ranks share it (train/tensor.py); None: they cannot

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: Any = None
    ) -> Float[Tensor, "batch time dim"]:
        """What to add to the stream; `state` (this sublayer's own) is read and brought up to date."""
        raise NotImplementedError

    def cut(self, ranks: int) -> None:
        """Refuse a number of ranks that cannot share this sublayer by its `plan`."""

    def new_state(self, batch: int, capacity: int) -> Any:
        """An empty state for `batch` rows of up to `capacity` tokens; None for a sublayer that looks at one token."""
        return None

    def flops(self, length: int) -> int:
        """Floating-point operations per token of a forward pass over `length` tokens: two per weight of a matrix."""
        return 2 * sum(weight.numel() for weight in self.parameters() if weight.dim() == 2)

    def cache_elements(self) -> int:
        """Numbers remembered per token while decoding."""
        return 0


def count_positions(real: Bool[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
    """Positions that skip padding, on either side: [0, 0, 1, 1, 1] -> [0, 0, 0, 1, 2]."""
    return (real.long().cumsum(1) - 1).clamp(min=0)


def document_positions(documents: Int[Tensor, "batch time"]) -> Int[Tensor, "batch time"]:
    """Positions that start again with each document of a packed row: [7, 7, 7, 9, 9] -> [0, 1, 2, 0, 1]."""
    index = torch.arange(documents.shape[1], device=documents.device)
    first = torch.ones_like(documents, dtype=torch.bool)
    first[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return index - torch.where(first, index, 0).cummax(1).values
