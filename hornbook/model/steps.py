"""Which steps a recurrent sublayer takes: none for padding, and from an empty state where a new document begins.

Attention hides what it must not see behind a mask; a recurrence would carry it along. So each row is first *lined up*,
its real steps in order and the padding behind them, where it can no longer touch anything; afterwards every answer goes
back to its place, and what is remembered is read after the last real step. Sublayers that can drop their state within a
row do so where `fresh` says (Mamba, RWKV, GRU); the others take the documents of packed rows apart (`Documents`).
A row without padding and packing is left as it is and costs nothing.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from hornbook.model.mask import Sight


@dataclass
class Steps:
    """How the steps of one pass are taken. Tensors in and out are (batch, time, ...)."""

    order: Int[Tensor, "batch time"] | None = None  # the places of a row, real ones first; None: as they stand
    count: Int[Tensor, " batch"] | None = None  # real steps in each row; None: all
    documents: Int[Tensor, "batch time"] | None = None  # which document each step, lined up, belongs to

    def line_up(self, x: Tensor) -> Tensor:
        """Real steps first."""
        return x if self.order is None else _take(x, self.order)

    def put_back(self, y: Tensor) -> Tensor:
        """Every answer where its token stands."""
        return y if self.order is None else _take(y, self.order.argsort(1))

    def real(self, like: Tensor) -> Bool[Tensor, "batch time"] | None:
        """False where a step, lined up, is padding; None where none is."""
        if self.count is None:
            return None
        return torch.arange(like.shape[1], device=like.device) < self.count[:, None]

    def turned(self, x: Tensor) -> Tensor:
        """The real steps of each row, lined up, from last to first; turned twice is as before."""
        if self.count is None:
            return x.flip(1)
        index = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2])
        back = self.count[:, None] - 1 - index
        return _take(x, torch.where(back >= 0, back, index))

    def last(self, before: Tensor, each: Tensor) -> Tensor:
        """What holds after the last real step: of `each` (batch, time, ...), or `before` where a row has none."""
        return self.window(before[:, None], each)[:, 0]

    def window(self, before: Tensor, each: Tensor) -> Tensor:
        """The last few steps, as many as `before` (batch, few, ...) has of those before this pass."""
        every, few = torch.cat([before, each], 1), before.shape[1]
        if self.count is None:
            return every[:, every.shape[1] - few :]
        return _take(every, self.count[:, None] + torch.arange(few, device=each.device))

    def fresh(self) -> Bool[Tensor, "batch time"] | None:
        """True where a step begins a document; None where no row is packed."""
        if self.documents is None:
            return None
        return ~self.same_document(1)

    def same_document(self, lag: int) -> Bool[Tensor, "batch time"]:
        """Whether the step `lag` before belongs to the same document. Only for packed rows."""
        assert self.documents is not None
        same = torch.zeros_like(self.documents, dtype=torch.bool)
        same[:, lag:] = self.documents[:, lag:] == self.documents[:, : max(self.documents.shape[1] - lag, 0)]
        return same


def steps_of(sight: Sight) -> Steps:
    """The steps of a pass that sees this."""
    if sight.real is None:
        return Steps(documents=sight.documents)
    real = sight.real[:, -sight.time :]
    order = None if sight.time == 1 else torch.argsort(real.logical_not().byte(), dim=1, stable=True)
    documents = sight.documents
    if documents is not None and order is not None:
        documents = documents.gather(1, order)
    return Steps(order, real.sum(1), documents)


@dataclass
class Documents:
    """The documents of packed rows as rows of their own, padded behind."""

    row: Int[Tensor, "batch time"]  # the row that each step goes to
    place: Int[Tensor, "batch time"]  # and where in it
    rows: int
    longest: int

    def apart(self, x: Tensor) -> Tensor:
        """(batch, time, ...) -> (rows, longest, ...)"""
        alone = x.new_zeros(self.rows, self.longest, *x.shape[2:])
        return alone.index_put((self.row, self.place), x)

    def together(self, y: Tensor) -> Tensor:
        """(rows, longest, ...) -> (batch, time, ...)"""
        return y[self.row, self.place]


def documents_of(steps: Steps) -> Documents | None:
    """The documents of packed rows; None where no row is packed."""
    fresh = steps.fresh()
    if fresh is None:
        return None
    index = torch.arange(fresh.shape[1], device=fresh.device)
    place = index - torch.where(fresh, index, 0).cummax(1).values
    row = fresh.flatten().cumsum(0).view_as(place) - 1
    return Documents(row, place, int(row[-1, -1]) + 1, int(place.max()) + 1)


def _take(x: Tensor, places: Tensor) -> Tensor:
    """The steps at `places`, row by row."""
    return x[torch.arange(x.shape[0], device=x.device)[:, None], places]
