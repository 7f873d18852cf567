"""Sees a loss that is not a number or leaps away from where it was, and says which rows to leave out.

PaLM (arXiv 2204.02311, section 5.1) met loss spikes by restarting from an earlier checkpoint and skipping the batches
around the spike. The guard does this by itself: the loop rolls back to the last checkpoint, the window of rows that was
being read is skipped from then on, and the documents in it are named.
"""

import math
from dataclasses import dataclass, field
from statistics import fmean, pstdev

FLAT = 0.01  # nats: what is called a deviation at the least; losses of policies are 0 but for what is rounded off


@dataclass(frozen=True, kw_only=True)
class Guard:
    """When a step counts as a fault."""

    window: int = 64  # steps whose losses say what is usual
    sigmas: float = 8.0  # a loss this many standard deviations above their mean is a spike
    patience: int = 5  # faults in a run after which it stops and asks for a person

    def __post_init__(self) -> None:
        if self.window < 2:
            raise ValueError(f"window: {self.window} steps say nothing about what is usual; give at least 2")
        if self.sigmas <= 0:
            raise ValueError(f"sigmas: {self.sigmas} would call every step a spike; give a number above 0, such as 8")


@dataclass
class Watch:
    """The guard's memory; a part of the checkpoint."""

    losses: list[float] = field(default_factory=list)
    skipped: list[tuple[int, int]] = field(default_factory=list)  # [first row, end row) never to be read again

    def fault(self, guard: Guard, loss: float, norm: float) -> str | None:
        """Why this step must not be taken, or None."""
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if not math.isfinite(norm):
            return f"the gradient norm is {norm}"
        usual = self.losses[-guard.window :]
        if len(usual) < guard.window:
            return None
        mean = fmean(usual)
        spread = max(pstdev(usual), 0.02 * abs(mean), FLAT)  # a flat curve has next to no deviation of its own
        if loss > mean + guard.sigmas * spread:
            return f"the loss leapt to {loss:.3f} from about {mean:.3f}"
        return None

    def remember(self, guard: Guard, loss: float) -> None:
        """Add a good step's loss."""
        self.losses = [*self.losses, loss][-guard.window :]

    def first_free(self, row: int, rows: int) -> int:
        """Where the next `rows` rows start at or after `row` without touching a skipped window.

        >>> Watch(skipped=[(8, 16)]).first_free(6, 4)
        16
        """
        for first, end in sorted(self.skipped):
            if row < end and first < row + rows:
                row = end
        return row
