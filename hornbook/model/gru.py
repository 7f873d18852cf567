"""A gated recurrent unit: one vector carries everything on, and two gates say what of it is renewed at each step.

    update = sigmoid(...), reset = sigmoid(...)                of the input and the vector before
    new    = tanh(W x + reset * (U h + b))
    h      = update * h + (1 - update) * new

Cho et al. 2014, section 2.3, with `reset` after the product as cuDNN and PyTorch have it (there: U (reset * h)). Each
step needs the one before, through a tanh: it cannot be taken apart into a scan, so time is a loop, PyTorch's own.
`bidirectional` reads the row from both ends (Schuster and Paliwal 1997), for encoders.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from hornbook.model.blank import Linear, OwnNumbers
from hornbook.model.op import Context, Op
from hornbook.model.steps import Steps, documents_of, steps_of


@dataclass(frozen=True, kw_only=True)
class GRU:
    """A row read step by step."""

    hidden: int  # numbers carried on, in each direction
    bidirectional: bool = False  # also from the end to the start; then it sees what comes later

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"hidden: {self.hidden} numbers carry nothing; give at least 1")

    def build(self, dim: int) -> "GatedRecurrence":
        return GatedRecurrence(dim, self)


class GatedRecurrence(Op):
    def __init__(self, dim: int, config: GRU) -> None:
        super().__init__()
        self.onwards = Cells(dim, config.hidden)
        self.backwards = Cells(dim, config.hidden) if config.bidirectional else None
        self.output = Linear(config.hidden * (2 if config.bidirectional else 1), dim)

    def forward(
        self, x: Float[Tensor, "batch time dim"], context: Context, state: "Carried | None" = None
    ) -> Float[Tensor, "batch time dim"]:
        steps, state = steps_of(context.sight), state or self.new_state(x.shape[0], 0)
        x = steps.line_up(x)
        documents = documents_of(steps)
        read = self._read(x, state, steps) if documents is None else documents.together(self._alone(documents.apart(x)))
        answer: Tensor = self.output(read)
        return steps.put_back(answer)

    def _read(self, x: Tensor, state: "Carried", steps: Steps) -> Float[Tensor, "batch time hidden"]:
        hidden = self.onwards.run(x, state.hidden)
        state.hidden = steps.last(state.hidden, hidden)
        if self.backwards is None:
            return hidden
        from_end = self.backwards.run(steps.turned(x), torch.zeros_like(state.hidden))
        return torch.cat([hidden, steps.turned(from_end)], -1)

    def _alone(self, x: Float[Tensor, "rows longest dim"]) -> Float[Tensor, "rows longest hidden"]:
        """Documents of their own, with zeros behind, which come before them for who reads from the end."""
        if self.backwards is not None:
            raise ValueError("document_ids: a bidirectional gru reads whole rows; give each document a row of its own")
        return self.onwards.run(x, x.new_zeros(x.shape[0], self.onwards.hidden_size))

    def new_state(self, batch: int, capacity: int) -> "Carried":  # noqa: ARG002 -- of one size for every capacity
        """Zeros."""
        return Carried(self.output.weight.new_zeros(batch, self.onwards.hidden_size))


@dataclass
class Carried:
    """The vector after the last step."""

    hidden: Float[Tensor, "batch hidden"]


class Cells(nn.GRU, OwnNumbers):
    """PyTorch's loop over time, without first numbers of its own."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__(dim, hidden, batch_first=True)

    def reset_parameters(self) -> None:
        """Nothing: see init.py."""

    def first_numbers(self, generator: Generator, depth: float) -> None:  # noqa: ARG002 -- the same at every depth
        """What is carried on is turned, not stretched (Bahdanau et al. 2015, appendix B.1); biases are 0."""
        inwards, onwards, *biases = self.parameters()
        draw_gates(inwards, onwards, generator)
        for bias in biases:
            bias.zero_()

    def run(
        self, x: Float[Tensor, "batch time dim"], start: Float[Tensor, "batch hidden"]
    ) -> Float[Tensor, "batch time hidden"]:
        """The vector after every step."""
        hidden: Tensor = self(x, start[None])[0]
        return hidden


def draw_gates(inwards: Tensor, onwards: Tensor, generator: Generator) -> None:
    """First numbers of the three stacked matrices: deviation 1/sqrt(inputs) for the input, orthogonal for the rest."""
    bound = math.sqrt(3 / inwards.shape[1])
    inwards.uniform_(-bound, bound, generator=generator)
    for gate in onwards.chunk(3):
        nn.init.orthogonal_(gate, generator=generator)
