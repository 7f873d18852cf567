"""Filters as long as the text, drawn by a small network, and what it takes to convolve with them.

    filter[t] = window[t] * network([t, sin and cos of several waves at t])

(Poli et al. 2023, section 3.3 and appendix D.3.) The network's activations are sines, which lets it draw filters with
high frequencies; the window exp(-rate * t) makes most channels forget, each at a rate of its own. A filter of any
length costs the same few weights. Left out: the window's constant offset, learned sine frequencies.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from hornbook.model.blank import Linear, OwnNumbers
from hornbook.model.scan import widened

SINE = 10.0  # frequency of the activations: with weights of deviation 1/sqrt(inputs) several waves over the text
FADED = 0.01  # share that the window leaves ...
FASTEST, SLOWEST = 0.3, 1.5  # ... after this part of the length, in the first and in the last channel (authors' code)


class LongFilter(OwnNumbers):
    """`channels` filters over texts of up to `length` steps."""

    def __init__(self, channels: int, hidden: int, waves: int, length: int) -> None:
        super().__init__()
        self.channels, self.waves, self.length = channels, waves, length
        self.enter = Linear(1 + 2 * waves, hidden)
        self.middle = Linear(hidden, hidden)
        self.draw = Linear(hidden, channels, bias=False)

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- the same at every depth
        """Deviation 1/sqrt(inputs), so that sines see several periods, whatever the other matrices begin with."""
        for linear in (self.enter, self.middle, self.draw):
            bound = math.sqrt(3 / linear.in_features)
            linear.weight.uniform_(-bound, bound, generator=generator)

    def forward(self, time: int) -> Float[Tensor, "time channels"]:
        """The first `time` taps of every filter, the latest step first."""
        like = widened(self.enter.weight)
        at = torch.arange(time, device=like.device, dtype=like.dtype)[:, None] / self.length  # 0 to 1
        angles = 2 * math.pi * at * torch.arange(1, self.waves + 1, device=like.device)
        features = torch.cat([at, angles.sin(), angles.cos()], -1).to(self.enter.weight.dtype)
        inside = torch.sin(SINE * self.enter(features))
        inside = torch.sin(SINE * self.middle(inside))
        part = torch.linspace(FASTEST, SLOWEST, self.channels, device=like.device, dtype=like.dtype)
        window = torch.exp(math.log(FADED) * at / part)
        # A text of `length` steps adds that many terms: without the division the sums would grow with it.
        return widened(self.draw(inside)) * window / math.sqrt(self.length)


def long_convolution(
    x: Float[Tensor, "batch time channels"], taps: Float[Tensor, "time channels"]
) -> Float[Tensor, "batch time channels"]:
    """y[t] = sum of taps[t - s] * x[s] over s <= t. Twice as many points keep the end from wrapping into the start."""
    points = 2 * x.shape[1]
    spectrum: Tensor = torch.fft.rfft(widened(x), points, dim=1) * torch.fft.rfft(widened(taps), points, dim=0)
    whole: Tensor = torch.fft.irfft(spectrum, points, dim=1)
    return whole[:, : x.shape[1]]


def by_product(
    past: Float[Tensor, "batch time channels"], taps: Float[Tensor, "time channels"], now: Int[Tensor, " batch"]
) -> Float[Tensor, "batch channels"]:
    """y[now] alone, of each row at its own place, as the sum it is."""
    lag = now[:, None] - torch.arange(past.shape[1], device=past.device)
    return (past * taps[lag.clamp(min=0)] * (lag >= 0)[..., None]).sum(1)
