"""How the learning rate moves over a run: pure functions of progress, from 0 (nothing done) to 1 (the run is over).

Progress is a share and not a step, so the same schedule serves a run whose length is given in steps and one that ends
with a wall-clock budget. Cosine: Loshchilov and Hutter 2017, to a tenth as in GPT-3. WSD (warm-up, stable, decay): Hu
et al. 2024, section 4; its 1-sqrt cool-down: Haegele et al. 2024. InverseSqrt: Vaswani et al. 2017. No restarts.

A step asks for the progress in its own middle: at exactly 0 or 1 a first or last step would train nothing.
"""

import math
from dataclasses import dataclass
from typing import Literal


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name}: {share} is not a share of the run; give a number from 0 to 1")


def _warm(progress: float, warmup: float) -> float | None:
    """The straight line from 0 to 1 of the warm-up, or None when it is over."""
    return progress / warmup if progress < warmup else None


def _done(progress: float, start: float) -> float:
    """How much of what lies between `start` and the end is done: 0 before it (or if it is empty), 1 past the end."""
    return min(1.0, (progress - start) / (1 - start)) if start < min(progress, 1) else 0.0


@dataclass(frozen=True, kw_only=True)
class Constant:
    """Warm up, then stay."""

    warmup: float = 0.0  # share of the run

    def __post_init__(self) -> None:
        _check_shares(warmup=self.warmup)

    def multiplier(self, progress: float) -> float:
        """The factor on every base rate at `progress`."""
        warm = _warm(progress, self.warmup)
        return 1.0 if warm is None else warm


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Warm up, then a straight line down to `final`.

    >>> [Linear(warmup=0.2).multiplier(p) for p in (0, 0.1, 0.2, 0.6, 1)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    warmup: float = 0.01  # share of the run
    final: float = 0.0  # the last multiplier

    def __post_init__(self) -> None:
        _check_shares(warmup=self.warmup, final=self.final)

    def multiplier(self, progress: float) -> float:
        """The factor on every base rate at `progress`."""
        warm = _warm(progress, self.warmup)
        if warm is not None:
            return warm
        return 1 + (self.final - 1) * _done(progress, self.warmup)


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """Warm up, then half a cosine down to `final`."""

    warmup: float = 0.01  # share of the run
    final: float = 0.1  # the last multiplier; GPT-3, appendix B

    def __post_init__(self) -> None:
        _check_shares(warmup=self.warmup, final=self.final)

    def multiplier(self, progress: float) -> float:
        """The factor on every base rate at `progress`."""
        warm = _warm(progress, self.warmup)
        if warm is not None:
            return warm
        fall = (1 + math.cos(math.pi * _done(progress, self.warmup))) / 2
        return self.final + (1 - self.final) * fall


@dataclass(frozen=True, kw_only=True)
class WSD:
    """Warm up, stay, and cool down over the last `cooldown` of the run; any point of the plateau can be cooled from."""

    warmup: float = 0.01  # share of the run
    cooldown: float = 0.2  # share of the run
    shape: Literal["linear", "sqrt"] = "linear"  # sqrt: 1 - sqrt(x), steep at first
    final: float = 0.0  # the last multiplier

    def __post_init__(self) -> None:
        _check_shares(warmup=self.warmup, cooldown=self.cooldown, final=self.final)
        if self.warmup + self.cooldown > 1:
            raise ValueError(f"warmup {self.warmup} and cooldown {self.cooldown} overlap; their sum may be at most 1")

    def multiplier(self, progress: float) -> float:
        """The factor on every base rate at `progress`."""
        warm = _warm(progress, self.warmup)
        if warm is not None:
            return warm
        done = _done(progress, 1 - self.cooldown)
        return 1 + (self.final - 1) * (math.sqrt(done) if self.shape == "sqrt" else done)


@dataclass(frozen=True, kw_only=True)
class InverseSqrt:
    """Warm up, then fall with the square root of progress: four times the warm-up's length gives a half."""

    warmup: float = 0.01  # share of the run, more than 0: the fall is measured in it

    def __post_init__(self) -> None:
        _check_shares(warmup=self.warmup)
        if self.warmup == 0:
            raise ValueError("warmup: 0 leaves inverse_sqrt without a scale; give a small share such as 0.01")

    def multiplier(self, progress: float) -> float:
        """The factor on every base rate at `progress`."""
        warm = _warm(progress, self.warmup)
        return math.sqrt(self.warmup / progress) if warm is None else warm


Schedule = Constant | Linear | Cosine | WSD | InverseSqrt


@dataclass(frozen=True, kw_only=True)
class BatchRamp:
    """Rows per optimizer step, growing on a straight line: small batches learn faster early on (GPT-3, section 2.3).

    >>> ramp = BatchRamp(start=8, end=32, steps=4)
    >>> [ramp.rows(step) for step in range(6)]
    [8, 14, 20, 26, 32, 32]
    """

    start: int  # rows of step 0
    end: int  # rows from step `steps` on
    steps: int  # optimizer steps on the way

    def __post_init__(self) -> None:
        if self.start < 1 or self.end < self.start:
            raise ValueError(f"start {self.start} and end {self.end}: a ramp wants 1 <= start <= end")
        if self.steps < 0:
            raise ValueError(f"steps: {self.steps} is negative; 0 means no ramp")

    def rows(self, step: int) -> int:
        """Rows of optimizer step `step` (from 0)."""
        if step >= self.steps:
            return self.end
        return self.start + (self.end - self.start) * step // self.steps
