"""Mamba: in place of attention a recurrence whose remembering and forgetting are decided by the tokens themselves.

    x, gate = input(stream)                         two times `expand * dim` channels
    x       = silu(short convolution of x)          a look at the last few steps
    step, write, read = from x                      how much time passes, what is remembered, what is recalled
    y       = selective scan of x (selective.py)    what is remembered has one size however long the text is
    output((y + skip * x) * silu(gate))

Gu and Dao 2023, section 3 and figure 3. Left out: `step` by anything but a low-rank product, the complex-valued states
of S4, and the kernels for GPUs; on a GPU the scan runs as PyTorch operations in chunks.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.model.blank import Linear, OwnNumbers
from hornbook.model.convolution import ShortConvolution
from hornbook.model.op import Context, Op
from hornbook.model.scan import widened
from hornbook.model.selective import Selection, selective_scan
from hornbook.model.steps import Steps, steps_of

RANK_SHARE = 16  # channels of the stream per channel from which `step` is made: Mamba, section 3.6 and its code
SHORTEST_STEP, LONGEST_STEP = 0.001, 0.1  # at first: Mamba, section 3.6


@dataclass(frozen=True, kw_only=True)
class Mamba:
    """A selective state space."""

    state: int = 16  # numbers remembered per channel
    expand: int = 2  # channels inside per channel of the stream
    width: int = 4  # steps the convolution looks at
    rank: int | None = None  # channels that all steps are made from; None: dim / 16, rounded up
    bias: bool = False  # of input and output
    convolution_bias: bool = True

    def __post_init__(self) -> None:
        for name in ("state", "expand", "width", "rank"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: {value} is not above 0; give at least 1")

    def build(self, dim: int) -> "SelectiveStateSpace":
        return SelectiveStateSpace(dim, self)


@dataclass
class MambaState:
    """What is remembered, whatever the length of the text."""

    before: Float[Tensor, "batch few channels"]  # the last steps, for the convolution
    hidden: Float[Tensor, "batch state channels"]


class SelectiveStateSpace(Op, OwnNumbers):
    def __init__(self, dim: int, config: Mamba) -> None:
        super().__init__()
        self.state, self.channels = config.state, config.expand * dim
        self.rank = config.rank or math.ceil(dim / RANK_SHARE)
        self.input = Linear(dim, 2 * self.channels, bias=config.bias)
        self.convolution = ShortConvolution(self.channels, config.width, bias=config.convolution_bias)
        self.select = Linear(self.channels, self.rank + 2 * self.state, bias=False)
        self.step = Linear(self.rank, self.channels)
        # A vector, (channels, state) in a row: it sets rates, and optimizers decay or orthogonalise matrices.
        self.log_rate = nn.Parameter(torch.empty(self.channels * self.state))
        self.skip = nn.Parameter(torch.empty(self.channels))
        self.output = Linear(self.channels, dim, bias=config.bias)

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- the same at every depth
        """Rates -1, -2, ... in each channel (S4D-Real), steps from 0.001 to 0.1, even in their logarithm."""
        counts = torch.arange(1.0, self.state + 1, device=self.log_rate.device)
        self.log_rate.copy_(counts.log().repeat(self.channels))
        self.skip.fill_(1.0)
        bound = self.rank**-0.5
        self.step.weight.uniform_(-bound, bound, generator=generator)
        steps = self.step.bias.uniform_(math.log(SHORTEST_STEP), math.log(LONGEST_STEP), generator=generator).exp_()
        steps.add_(steps.neg().expm1().neg().log())  # the inverse of softplus

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: MambaState | None = None
    ) -> Float[Tensor, "batch time dim"]:
        steps, state = steps_of(context.sight), state or self.new_state(x.shape[0], 0)
        x, gate = self.input(steps.line_up(x)).chunk(2, dim=-1)
        seen = F.silu(self.convolution(x, state.before, steps))
        with torch.autocast(x.device.type, enabled=False):
            y, state.hidden = selective_scan(self._choose(seen, steps), state.hidden, steps.fresh())
        state.before = steps.window(state.before, x)
        y = (y + widened(self.skip) * seen) * F.silu(gate)
        mixed: Tensor = self.output(y.to(x.dtype))
        return steps.put_back(mixed)

    def _choose(self, x: Float[Tensor, "batch time channels"], steps: Steps) -> Selection:
        """What each token does to the state; padding does nothing."""
        parts = self.select(x.to(self.select.weight.dtype)).split([self.rank, self.state, self.state], dim=-1)
        low, write, read = (widened(part) for part in parts)
        step = F.softplus(F.linear(low, widened(self.step.weight), widened(self.step.bias)))
        real = steps.real(x)
        if real is not None:
            step = step * real[..., None]
        rate = -widened(self.log_rate).exp().view(self.channels, self.state).T.contiguous()
        return Selection(step * widened(x), step, rate, write, read)

    def new_state(self, batch: int, capacity: int) -> MambaState:  # noqa: ARG002 -- of one size for every capacity
        """Nothing seen yet."""
        hidden = widened(self.skip).new_zeros(batch, self.state, self.channels)
        return MambaState(self.convolution.empty(batch), hidden)

    def flops(self, length: int) -> int:
        """Adds reading the state. The scan itself, like activations, is not counted: it multiplies no matrices."""
        return super().flops(length) + 2 * self.state * self.channels
