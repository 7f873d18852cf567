"""Rotary positions for longer texts than a model was trained on: slower clocks, and for which channels.

| scaling | what becomes of the rates | source |
|---|---|---|
| linear | all divided by `factor` | position interpolation (Chen et al. 2023) |
| dynamic | base grows with the text once it is longer than the training's | "dynamic NTK" (bloc97 and emozilla 2023) |
| yarn | slow channels divided, fast ones kept, a ramp between; attention louder | YaRN (Peng et al. 2023, section 3) |
| llama3 | the same idea with a ramp over the number of turns | Llama 3.1's code (Dubey et al. 2024) |
| long | each channel divided by a factor of its own, found by search | LongRoPE (Ding et al. 2024), Phi-3 |

Three hooks, doing nothing by default. Dynamic and long scaling look at the text: the rates of a row are those of its
last position. While decoding, what the cache holds keeps the turns it got when it was written; in transformers too.
"""
# ruff: noqa: ARG002 -- hooks that do nothing take the arguments of those that do something

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Rates = Float[Tensor, " half"]  # radians per position of each pair of channels, fast ones first


class ScalingBase:
    """The rates as they are."""

    def scale(self, rates: Rates, base: float) -> Rates:
        """Once, when the model is built; `base` is what the rates were made from."""
        return rates

    def stretch(self, rates: Rates, longest: Float[Tensor, "rows 1 1 1"]) -> Tensor:
        """At every pass, for rows of `longest` tokens."""
        return rates

    def attention(self) -> float:
        """What turned queries and keys are multiplied by, which counts twice in the scores."""
        return 1.0


@dataclass(frozen=True, kw_only=True)
class LinearScaling(ScalingBase):
    """Position interpolation: every angle is divided by `factor`."""

    factor: float

    def scale(self, rates: Rates, base: float) -> Rates:
        return rates / self.factor


@dataclass(frozen=True, kw_only=True)
class DynamicScaling(ScalingBase):
    """The base grows as the text does, just enough that the slowest channel never turns further than in training."""

    factor: float
    original_length: int  # context length in pretraining, tokens

    def stretch(self, rates: Rates, longest: Tensor) -> Tensor:
        grown = self.factor * longest.clamp(min=self.original_length) / self.original_length - (self.factor - 1)
        # base * grown^(d / (d - 2)), for channel pair i of d / 2, is rate * grown^(-2i / (d - 2))
        pairs = torch.arange(len(rates), device=rates.device) / (len(rates) - 1)
        return rates * grown**-pairs


@dataclass(frozen=True, kw_only=True)
class YarnScaling(ScalingBase):
    """Channels that turn often in the training's length are kept, those that turn less than once are divided."""

    factor: float
    original_length: int  # context length in pretraining, tokens
    fast: float = 32.0  # channels that turn more often than this in `original_length` are kept (section 3.2)
    slow: float = 1.0  # channels that turn less often than this are divided by `factor`
    attention_factor: float | None = None  # None: 0.1 ln(factor) + 1 (section 3.4)

    def scale(self, rates: Rates, base: float) -> Rates:
        first, last = math.floor(self._pair(self.fast, rates, base)), math.ceil(self._pair(self.slow, rates, base))
        first, last = max(first, 0), min(last, 2 * len(rates) - 1)
        ramp = (torch.arange(len(rates), device=rates.device) - first) / max(last - first, 0.001)
        divided = ramp.clamp(0, 1)
        return (1 - divided) * rates + divided * rates / self.factor

    def _pair(self, turns: float, rates: Rates, base: float) -> float:
        """Which pair of channels (a fraction) turns so often in the training's length."""
        return len(rates) * math.log(self.original_length / (turns * 2 * math.pi)) / math.log(base)

    def attention(self) -> float:
        if self.attention_factor is not None:
            return self.attention_factor
        return 0.1 * math.log(max(self.factor, 1)) + 1


@dataclass(frozen=True, kw_only=True)
class Llama3Scaling(ScalingBase):
    """Slow channels are slowed further, fast ones (which tell neighbours apart) are left, with a ramp between."""

    factor: float = 8.0
    low: float = 1.0  # channels that turn less often than this in `original_length` are divided by `factor`
    high: float = 4.0  # channels that turn more often than this are left alone
    original_length: int = 8192  # context length in pretraining, tokens

    def scale(self, rates: Rates, base: float) -> Rates:
        turns = self.original_length * rates / (2 * math.pi)
        keep = ((turns - self.low) / (self.high - self.low)).clamp(0, 1)
        return keep * rates + (1 - keep) * rates / self.factor


@dataclass(frozen=True, kw_only=True)
class LongScaling(ScalingBase):
    """A factor for each pair of channels: one set for texts up to the training's length, one for longer ones."""

    short: tuple[float, ...]
    long: tuple[float, ...]
    factor: float  # how many times longer than in training a text may be
    original_length: int  # context length in pretraining, tokens
    attention_factor: float | None = None  # None: sqrt(1 + ln(factor) / ln(original_length)) (LongRoPE's code)

    def scale(self, rates: Rates, base: float) -> Rates:
        for name in ("short", "long"):
            if len(getattr(self, name)) != len(rates):
                raise ValueError(
                    f"{name}: {len(getattr(self, name))} factors for {len(rates)} turning pairs of channels; "
                    "give one for each"
                )
        return rates

    def stretch(self, rates: Rates, longest: Tensor) -> Tensor:
        short, long = (torch.tensor(each, device=rates.device) for each in (self.short, self.long))
        return rates / torch.where(longest > self.original_length, long, short)

    def attention(self) -> float:
        if self.attention_factor is not None:
            return self.attention_factor
        return math.sqrt(1 + math.log(max(self.factor, 1)) / math.log(self.original_length))


Scaling = LinearScaling | DynamicScaling | YarnScaling | Llama3Scaling | LongScaling
