"""Who may look at whom: causal order, padding, windows and the documents of packed rows, as one boolean mask.

Attention over a mask costs memory of (time, time) and, on most machines, twice the time of the kernel that knows
"causal" by itself. So the first question is always whether a mask is needed at all. Everything is said in indices (the
place in the row or the cache), not positions (the count that position encodings use; padding does not count there).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor


@dataclass
class Sight:
    """What is known about one forward pass over `time` new tokens that follow `start` remembered ones."""

    time: int
    start: int = 0
    real: Bool[Tensor, "batch keys"] | None = None  # False where a key is padding; keys = start + time
    documents: Int[Tensor, "batch time"] | None = None  # which document a token belongs to; only with start = 0

    def visible(
        self, device: torch.device, *, causal: bool, window: int | None, always: bool = False
    ) -> Bool[Tensor, "rows 1 time keys"] | None:
        """True where a query may look at a key; None where a kernel's own `is_causal` (or nothing) says the same.

        A `window` of 3 sees the token itself and two before it (and two after it, where not causal). A token always
        sees itself, so padding has no empty row to take a softmax over.
        """
        if not always and not self._needs_mask(causal, window):
            return None
        queries, keys = self.indices(device)
        gap = queries[:, None] - keys[None, :]
        seen = torch.ones_like(gap, dtype=torch.bool)
        if causal:
            seen = seen & (gap >= 0)
        if window is not None:
            seen = seen & (gap.abs() < window)
        seen = seen[None, None]
        if self.documents is not None:
            seen = seen & (self.documents[:, None, :, None] == self.documents[:, None, None, :])
        if self.real is not None:
            seen = seen & self.real[:, None, None, :] | (gap == 0)
        return seen

    def spans(self) -> list[tuple[int, int, int]] | None:
        """(row, first, end) of each document, row by row; None where rows hold other things than whole documents."""
        if self.documents is None or self.real is not None:
            return None
        steps = self.documents.diff(dim=1)
        if bool((steps < 0).any()):
            return None  # a document may go on after another one: only a mask can say so
        ends = [[*(places + 1), self.time] for places in (row.nonzero()[:, 0].numpy() for row in steps.cpu())]
        return [(row, int(a), int(b)) for row, each in enumerate(ends) for a, b in zip([0, *each], each, strict=False)]

    def indices(self, device: torch.device) -> tuple[Int[Tensor, " time"], Int[Tensor, " keys"]]:
        """The places of the queries and of the keys in the row."""
        keys = torch.arange(self.start + self.time, device=device)
        return keys[self.start :], keys

    def _needs_mask(self, causal: bool, window: int | None) -> bool:
        if self.real is not None or self.documents is not None:
            return True
        if window is not None and self.start + self.time > window:
            return True
        return causal and self.start > 0 and self.time > 1  # `is_causal` counts from the first key, not the last
