"""How long a run is, as a number that goes from 0 to 1: counted in steps, or by the clock.

A schedule reads this progress, so the learning rate lands where it should in both cases. By steps the whole run is a
function of the recipe. By the clock (Cramming, arXiv 2212.14034: one day, whatever that buys) the run ends on time on
any machine, and the time that was spent is a part of the checkpoint.
"""

import re
from dataclasses import dataclass

from hornbook.core.errors import RecipeError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """Read a span of time.

    >>> seconds("6m"), seconds("1h30m"), seconds("90s")
    (360.0, 5400.0, 90.0)
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise RecipeError(f"budget: {text!r} is no span of time; write it like 6m, 1h30m or 90s")
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


@dataclass(frozen=True)
class Steps:
    """A number of optimizer steps."""

    total: int

    def progress(self, step: float, elapsed: float) -> float:  # noqa: ARG002 (the clock's twin reads it)
        """The share of the run that is behind, 0 to 1."""
        return min(1.0, step / self.total)

    def done(self, step: int, elapsed: float, next_step: float) -> bool:  # noqa: ARG002
        """Whether the last step has been taken."""
        return step >= self.total

    def total_steps(self, step: int, elapsed: float) -> int:  # noqa: ARG002
        """How many steps the run will have had."""
        return self.total

    def seconds_left(self, step: int, elapsed: float) -> float:
        """An estimate from the steps so far."""
        return (self.total - step) * elapsed / max(step, 1)


@dataclass(frozen=True)
class Clock:
    """A span of wall-clock time, in seconds; `reserve` of it is kept for what comes after the last step."""

    span: float
    reserve: float = 0.0

    def progress(self, step: float, elapsed: float) -> float:  # noqa: ARG002
        """The share of the time that is spent, 0 to 1."""
        return min(1.0, elapsed / max(self.span - self.reserve, 1e-9))

    def done(self, step: int, elapsed: float, next_step: float) -> bool:
        """Whether another step of `next_step` seconds would end further from the mark than stopping now."""
        return step > 0 and elapsed + next_step / 2 > self.span - self.reserve

    def total_steps(self, step: int, elapsed: float) -> int:
        """How many steps the run will have had, at the pace so far."""
        return max(step, round(step / max(self.progress(step, elapsed), 1e-9)))

    def seconds_left(self, step: int, elapsed: float) -> float:  # noqa: ARG002
        """What remains of the span."""
        return max(0.0, self.span - elapsed)


Horizon = Steps | Clock
