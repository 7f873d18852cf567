"""One token of every row through a stack in one call, where a text is written token by token.

Then every matrix is used for one vector, and what torch does around each operation takes longer than a small model's
arithmetic. So the layers are written down once as a list of simple steps (multiply, norm, turn, attend, ...; tape.c),
with the places of their matrices, and each token is one call that goes through the list. The numbers are those of the
layers: the same operations in the same order, in fp32, rounded here and there in the last place. record.py writes the
list down.
"""

import ctypes
from typing import Any, Literal

import torch
from torch import Tensor

from hornbook.model import native
from hornbook.model.attention import KeyValues
from hornbook.model.op import Context, State

MANY = 1 << 30
PRODUCT, NORM, TURN, ATTEND, ACTIVATE, GATE, ADD, COPY = range(8)


class Tape:
    """The steps of a stack, the memory between them, and how they are played."""

    def __init__(self, dim: int) -> None:
        self.steps: list[native.Step] = []
        self.width = self.dim = dim  # floats of memory for each row; the first `dim` are the stream
        self.top = 0  # where the answer lies
        self.most = MANY  # rows; of more, the layers are faster
        self.attentions: list[list[int]] = []  # where the state of each lies: layer, sublayer, perhaps branch
        self.turning: list[int] = []  # the positions that turn queries and keys, by their number in the context
        self.kept: list[Tensor] = []  # numbers made for the tape alone
        self.list: Any = None  # the steps, as C reads them
        self.seen: list[KeyValues] = []  # where the attentions remembered at the last call, and that as C reads it
        self.caches: Any = None

    def room(self, width: int) -> int:
        """A place for a vector of this width."""
        self.width += width
        return self.width - width

    def add(self, what: int, **fields: Any) -> None:
        """One more step; tensors stand for the places of their numbers."""
        places = {name: each.data_ptr() if isinstance(each, Tensor) else each for name, each in fields.items()}
        self.steps.append(native.Step(what=what, **places))

    def play(self, x: Tensor, context: Context, state: State) -> Tensor | None:
        """(rows, 1, dim) -> (rows, 1, dim), and `state` remembers the token; None, and nothing done: not for a tape."""
        rows, caches = len(x), self._caches(state)
        if rows > self.most or caches is None or context.sight.documents is not None or context.memory is not None:
            return None
        begins = _begins(context.sight.real)
        if begins is False:
            return None
        turns = [each for way in self.turning for each in context.turn(way)]
        work = x.new_empty(self.width * rows)
        work[: rows * self.dim] = x.flatten()
        call = native.Call(
            work=work.data_ptr(),
            caches=caches,
            turns=(ctypes.c_void_p * len(turns))(*(each.data_ptr() for each in turns)),
            first=None if begins is None else begins.data_ptr(),
            rows=rows,
            turned=len(turns[0]) if turns else 1,
            column=state.length,
            threads=torch.get_num_threads(),
        )
        if self.list is None:
            self.list = (native.Step * len(self.steps))(*self.steps)
        native.play(self.list, call)
        return work[self.top * rows :][: rows * self.dim].view_as(x)

    def _caches(self, state: State) -> Any:
        """Where the attentions remember, as C reads it; None where one does so in another way than a tape reads."""
        now = [_at(state.layers, place) for place in self.attentions]
        if len(now) != len(self.seen) or any(a is not b for a, b in zip(now, self.seen, strict=True)):
            if not all(map(_readable, now)):
                return None
            self.seen, self.caches = now, (native.Cache * len(now))(*map(_cache, now))
        return self.caches


def _at(layers: Any, place: list[int]) -> Any:
    for number in place:
        layers = layers[number]
    return layers


def _readable(kept: Any) -> bool:
    if not isinstance(kept, KeyValues) or kept.keys.dtype != torch.float32:
        return False
    return kept.keys.stride()[2:] == (kept.keys.shape[3], 1) and kept.values.stride() == kept.keys.stride()


def _cache(kept: KeyValues) -> native.Cache:
    row, head, *_ = kept.keys.stride()
    return native.Cache(keys=kept.keys.data_ptr(), values=kept.values.data_ptr(), row=row, head=head)


def _begins(real: Tensor | None) -> Tensor | Literal[False] | None:
    """In which column each row begins; None: all in the first; False: there is padding elsewhere than before a row."""
    if real is None:
        return None
    begins = real.shape[1] - real.sum(1)
    return begins if bool((real.int().argmax(1) == begins).all()) else False
