"""Hyena: in place of attention, convolutions as long as the text, opened and closed by the tokens themselves.

    value, gate 1, ..., gate N = short convolution of project(stream)
    value = gate n * (filter n convolved with value)          for n = 1 ... N: an operator of order N
    output(value)

(Poli et al. 2023, definition 3.1.) A filter has a number per step and channel, but they are not learned one by one:
a small network draws them as a function of the step (long_filter.py). Training and prefill convolve by FFT, in
O(time log time). Writing is not free of length: a filter has no finite state, so each new token takes a dot product
with everything before it, O(length) per token like attention with a cache, and the cache is as long as the text.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from hornbook.model.blank import Linear, OwnNumbers
from hornbook.model.convolution import ShortConvolution
from hornbook.model.long_filter import LongFilter, by_product, long_convolution
from hornbook.model.op import Context, Grows, Op
from hornbook.model.scan import widened
from hornbook.model.steps import Steps, documents_of, steps_of


@dataclass(frozen=True, kw_only=True)
class Hyena:
    """Gated long convolutions."""

    length: int  # steps that the filters reach back, tokens; the longest text
    order: int = 2  # gates, and filters
    width: int = 3  # steps the short convolution looks at: Poli et al., section 3.1
    filter_hidden: int = 64  # channels inside the network that draws the filters
    waves: int = 16  # sine and cosine waves among its inputs

    def __post_init__(self) -> None:
        for name in ("length", "order", "width", "filter_hidden", "waves"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is not above 0; give at least 1")

    def build(self, dim: int) -> "HyenaOperator":
        return HyenaOperator(dim, self)


@dataclass
class HyenaState:
    """Everything that was convolved so far, and the filters, drawn once."""

    before: Float[Tensor, "batch few channels"]  # the last steps, for the short convolution
    past: list[Float[Tensor, "batch capacity dim"]] = field(metadata={"grows": Grows("steps", 1)})  # per filter
    taps: Float[Tensor, "capacity order dim"] = field(metadata={"per_row": False})
    count: Int[Tensor, " batch"]  # real steps so far


class HyenaOperator(Op, OwnNumbers):
    def __init__(self, dim: int, config: Hyena) -> None:
        super().__init__()
        self.dim, self.order, self.length = dim, config.order, config.length
        self.project = Linear(dim, (config.order + 1) * dim)
        self.convolution = ShortConvolution((config.order + 1) * dim, config.width, bias=True)
        self.filter = LongFilter(config.order * dim, config.filter_hidden, config.waves, config.length)
        self.skip = nn.Parameter(torch.empty(config.order * dim))  # of each convolution's input, straight to its output
        self.output = Linear(dim, dim)

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- the same at every depth
        """Skips from N(0, 1), as in the authors' code."""
        self.skip.normal_(0.0, 1.0, generator=generator)

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: HyenaState | None = None
    ) -> Float[Tensor, "batch time dim"]:
        steps = steps_of(context.sight)
        projected = self.project(steps.line_up(x))
        before = self.convolution.empty(x.shape[0]) if state is None else state.before
        value, *gates = self.convolution(projected, before, steps).split(self.dim, dim=-1)
        if state is None:
            value = self._whole(value, gates, steps)
        else:
            state.before = steps.window(before, projected)
            value = self._next(value, gates, state)
            state.count = state.count + (x.shape[1] if steps.count is None else steps.count)
        answer: Tensor = self.output(value.to(x.dtype))
        return steps.put_back(answer)

    def _whole(self, value: Tensor, gates: list[Tensor], steps: Steps) -> Tensor:
        """Every convolution over whole rows, or over the documents of packed ones."""
        documents = documents_of(steps)
        if documents is not None:
            value, gates = documents.apart(value), [documents.apart(gate) for gate in gates]
        self._check(value.shape[1])
        taps = self.taps(value.shape[1])
        for i, gate in enumerate(gates):
            value = gate * (long_convolution(value, taps[:, i]) + self._skip(i) * value)
        return value if documents is None else documents.together(value)

    def _next(self, value: Tensor, gates: list[Tensor], state: HyenaState) -> Tensor:
        """The convolutions of new steps with all there was: by FFT for a stretch, as one product for a single step."""
        rows = torch.arange(value.shape[0], device=value.device)[:, None]
        places = state.count[:, None] + torch.arange(value.shape[1], device=value.device)
        end = int(places.max()) + 1
        self._check(int(state.count.min()) + value.shape[1])  # a row that is finished may run on beside others
        for i, gate in enumerate(gates):
            state.past[i][rows, places] = value.to(state.past[i].dtype)
            past, taps = state.past[i][:, :end], state.taps[:end, i]
            if value.shape[1] == 1:
                convolved = by_product(past, taps, state.count)[:, None]
            else:
                convolved = long_convolution(past, taps)[rows, places]
            value = gate * (convolved + self._skip(i) * value)
        return value

    def taps(self, time: int) -> Float[Tensor, "time order dim"]:
        """The filters: what a step `t` back counts for, for every t below `time`."""
        taps: Tensor = self.filter(time)
        return taps.view(time, self.order, self.dim)

    def _check(self, time: int) -> None:
        if time > self.length:
            raise ValueError(f"{time} tokens are more than the {self.length} that the filters reach; give fewer")

    def _skip(self, i: int) -> Tensor:
        return widened(self.skip[i * self.dim : (i + 1) * self.dim])

    def new_state(self, batch: int, capacity: int) -> HyenaState:
        """Room for `capacity` steps; the filters are drawn here."""
        taps = self.taps(capacity).detach()
        past = [taps.new_zeros(batch, capacity, self.dim) for _ in range(self.order)]
        count = torch.zeros(batch, dtype=torch.long, device=taps.device)
        return HyenaState(self.convolution.empty(batch), past, taps, count)

    def flops(self, length: int) -> int:
        """Adds two real transforms of 2 * length points per filter and channel, 2.5 n log2(n) operations each."""
        transforms = 2 * 2.5 * 2 * length * (2 * length).bit_length() / length
        return super().flops(length) + self.order * self.dim * int(transforms)

    def cache_elements(self) -> int:
        return self.order * self.dim
