"""A short causal convolution: every channel by itself mixes the last few steps. Mamba and Hyena look back with one.

    y[t] = bias + sum of weight[j] * x[t - lag],  lag = width - 1 - j

(Depthwise convolution; Gu and Dao 2023, section 3.4; Poli et al. 2023, section 3.1.) Written as `width` products of
shifted rows: channels stay the last axis, as everywhere else, where PyTorch's conv1d wants time last. At (1, 512, 512)
and width 4 that takes 2 to 3 CPU milliseconds forward and backward, conv1d with its two transpositions 4 to 6.
"""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.model.blank import OwnNumbers
from hornbook.model.steps import Steps


class ShortConvolution(OwnNumbers):
    """`width` weights per channel."""

    def __init__(self, channels: int, width: int, *, bias: bool) -> None:
        super().__init__()
        self.channels, self.width = channels, width
        self.weight = nn.Parameter(torch.empty(channels, 1, width))
        self.bias = nn.Parameter(torch.empty(channels)) if bias else None

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- the same at every depth
        """Weights uniform with the bound of PyTorch's convolutions, 1 / sqrt(width); the bias is 0."""
        bound = 1 / math.sqrt(self.width)
        self.weight.uniform_(-bound, bound, generator=generator)

    def empty(self, batch: int) -> Float[Tensor, "batch before channels"]:
        """What is remembered before the first step: nothing."""
        return self.weight.new_zeros(batch, self.width - 1, self.channels)

    def forward(
        self, x: Float[Tensor, "batch time channels"], before: Float[Tensor, "batch before channels"], steps: Steps
    ) -> Float[Tensor, "batch time channels"]:
        """`before`: the width - 1 steps before x; of other documents nothing is seen."""
        time, every = x.shape[1], torch.cat([before, x], 1)
        y = x * self.weight[:, 0, -1] if self.bias is None else torch.addcmul(self.bias, x, self.weight[:, 0, -1])
        for lag in range(1, self.width):
            start = self.width - 1 - lag
            past = every[:, start : start + time]
            if steps.documents is not None:
                past = past * steps.same_document(lag)[..., None]
            y = torch.addcmul(y, past, self.weight[:, 0, start])
        return y
