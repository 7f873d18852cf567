"""RWKV: a network that trains like a Transformer, all steps at once, and writes like an RNN, from one small state.

Time mixing takes the place of attention: every channel keeps a sum of the values seen, weighted by exp(key) and fading
at a rate of its own (wkv.py). Channel mixing takes the place of the MLP. Both look at a mixture of each token and the
one before it. Peng et al. 2023 (RWKV-4), section 3; the first numbers are those of its appendix E. Left out: RWKV-5 and
later with matrices for a state, the kernel for GPUs, and halving the stream every 6 layers, which keeps fp16 from
overflowing and changes nothing else (norms divide it out).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.model.blank import Linear, OwnNumbers
from hornbook.model.op import Context, Op
from hornbook.model.scan import widened
from hornbook.model.steps import Steps, steps_of
from hornbook.model.wkv import LOWEST, Spoken, Sums, wkv


@dataclass(frozen=True, kw_only=True)
class TimeMix:
    """A fading sum over what has been said."""

    hidden: int | None = None  # channels inside; None: dim

    def __post_init__(self) -> None:
        if self.hidden is not None and self.hidden < 1:
            raise ValueError(f"hidden: {self.hidden} channels hold nothing; give at least 1")

    def build(self, dim: int) -> "TimeMixing":
        return TimeMixing(dim, self)


@dataclass(frozen=True, kw_only=True)
class ChannelMix:
    """sigmoid(receptance(x)) * output(relu(key(x))^2)"""

    hidden: int  # channels inside; RWKV-4 takes 4 * dim

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"hidden: {self.hidden} channels hold nothing; give at least 1")

    def build(self, dim: int) -> "ChannelMixing":
        return ChannelMixing(dim, self)


@dataclass
class ChannelMixState:
    """The stream at the last step."""

    before: Float[Tensor, "batch 1 dim"]


@dataclass
class TimeMixState(ChannelMixState):
    """And the sums over all steps."""

    sums: Sums


class TimeMixing(Op, OwnNumbers):
    def __init__(self, dim: int, config: TimeMix) -> None:
        super().__init__()
        self.hidden = config.hidden or dim
        self.mix_key, self.mix_value, self.mix_receptance = (nn.Parameter(torch.empty(dim)) for _ in range(3))
        self.log_fall, self.bonus = (nn.Parameter(torch.empty(self.hidden)) for _ in range(2))
        self.key, self.value, self.receptance = (Linear(dim, self.hidden, bias=False) for _ in range(3))
        self.output = Linear(self.hidden, dim, bias=False)

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- nothing is drawn
        """Higher layers look less at the token before and forget at more different rates."""
        device = self.mix_key.device
        channel = torch.arange(len(self.mix_key), device=device) / len(self.mix_key)
        self.mix_key.copy_(channel ** (1 - depth))
        self.mix_value.copy_(channel ** (1 - depth) + 0.3 * depth)
        self.mix_receptance.copy_(channel ** (0.5 * (1 - depth)))
        place = torch.arange(self.hidden, device=device)
        self.log_fall.copy_(-5 + 8 * (place / max(self.hidden - 1, 1)) ** (0.7 + 1.3 * depth))
        self.bonus.copy_(torch.full_like(self.bonus, 0.3).log() + 0.5 * ((place + 1) % 3 - 1))

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: TimeMixState | None = None
    ) -> Float[Tensor, "batch time dim"]:
        steps, state = steps_of(context.sight), state or self.new_state(x.shape[0], 0)
        x = steps.line_up(x)
        back = before(x, state, steps)
        key, value = self.key(mixed(x, back, self.mix_key)), self.value(mixed(x, back, self.mix_value))
        receptance = torch.sigmoid(self.receptance(mixed(x, back, self.mix_receptance)))
        fall = widened(self.log_fall).exp()
        y, after = wkv(Spoken(widened(key), widened(value), fall, widened(self.bonus)), state.sums, steps.fresh())
        was = state.sums
        state.sums = Sums(
            steps.last(was.over, after.over), steps.last(was.under, after.under), steps.last(was.top, after.top)
        )
        answer: Tensor = self.output(receptance * y.to(receptance.dtype))
        return steps.put_back(answer)

    def new_state(self, batch: int, capacity: int) -> TimeMixState:  # noqa: ARG002 -- of one size for every capacity
        """Nothing seen yet."""
        nothing = widened(self.bonus).new_zeros(batch, self.hidden)
        return TimeMixState(
            self.mix_key.new_zeros(batch, 1, len(self.mix_key)),
            Sums(nothing, nothing, torch.full_like(nothing, LOWEST)),
        )


class ChannelMixing(Op, OwnNumbers):
    def __init__(self, dim: int, config: ChannelMix) -> None:
        super().__init__()
        self.mix_key, self.mix_receptance = (nn.Parameter(torch.empty(dim)) for _ in range(2))
        self.key, self.receptance = Linear(dim, config.hidden, bias=False), Linear(dim, dim, bias=False)
        self.output = Linear(config.hidden, dim, bias=False)

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- nothing is drawn
        """Higher layers look less at the token before."""
        channel = torch.arange(len(self.mix_key), device=self.mix_key.device) / len(self.mix_key)
        for mix in (self.mix_key, self.mix_receptance):
            mix.copy_(channel ** (1 - depth))

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: ChannelMixState | None = None
    ) -> Float[Tensor, "batch time dim"]:
        steps, state = steps_of(context.sight), state or self.new_state(x.shape[0], 0)
        x = steps.line_up(x)
        back = before(x, state, steps)
        key = F.relu(self.key(mixed(x, back, self.mix_key))).square()
        answer = torch.sigmoid(self.receptance(mixed(x, back, self.mix_receptance))) * self.output(key)
        return steps.put_back(answer)

    def new_state(self, batch: int, capacity: int) -> ChannelMixState:  # noqa: ARG002 -- of one size for every capacity
        """Nothing seen yet."""
        return ChannelMixState(self.mix_key.new_zeros(batch, 1, len(self.mix_key)))


def before(x: Float[Tensor, "batch time dim"], state: ChannelMixState, steps: Steps) -> Float[Tensor, "batch time dim"]:
    """The step before each, nothing before a document's first; `state` then holds the last."""
    back = torch.cat([state.before, x[:, :-1]], 1)
    state.before = steps.window(state.before, x)
    return back if steps.documents is None else back * steps.same_document(1)[..., None]


def mixed(x: Tensor, back: Tensor, share: Tensor) -> Tensor:
    """`share` of each channel from this step, the rest from the one before."""
    return torch.lerp(back, x, share)
