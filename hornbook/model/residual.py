"""How a sublayer is wired into the stream: where the norms stand and what is added to what.

| placement | what becomes of x                  | where                                                          |
|-----------|------------------------------------|----------------------------------------------------------------|
| pre       | x + f(norm(x))                     | GPT-2, Llama; trains without a warm-up (Xiong et al. 2020)     |
| post      | norm(x + f(x))                     | Vaswani et al. 2017, BERT, GPT                                 |
| sandwich  | x + norm(f(norm(x)))               | CogView (Ding et al. 2021, section 2.4), Gemma 3               |
| output    | x + norm(f(x))                     | OLMo 2 (section 3.2)                                           |
| dual      | post, and beside it the bare sum,  | ResiDual (Xie et al. 2023, section 3): the sum keeps gradients |
|           | normed and added at the top        | from vanishing, the post-norm keeps layers from agreeing       |
| none      | f(norm(x))                         | without a residual: He and Hofmann 2023; recurrent networks    |
"""

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from hornbook.model.norm import Norm
from hornbook.model.op import Context, Op

Placement = Literal["pre", "post", "sandwich", "output", "dual", "none"]
Stream = Tensor | tuple[Tensor, Tensor]  # with `dual` the normed stream and the bare sum


@dataclass(frozen=True)
class Wiring:
    """What a stack says about all of its residual connections."""

    norm: Norm
    placement: Placement
    dropout: float  # share of each sublayer's answer dropped while training


class Residual(nn.Module):
    """The stream, and what a sublayer says of it."""

    def __init__(self, dim: int, op: Op, wiring: Wiring) -> None:
        super().__init__()
        self.placement = wiring.placement
        self.norm = nn.Identity() if op.own_norm else wiring.norm.build(dim)
        if wiring.placement == "sandwich":
            self.after = wiring.norm.build(dim)
        self.op = op
        self.dropout = nn.Dropout(wiring.dropout)

    def forward(self, x: Stream, context: Context, state: Any = None) -> Stream:
        if isinstance(x, tuple):
            answer = self._answer(x[0], context, state)
            return self._normed(x[0] + answer), x[1] + answer
        if self.placement == "pre":
            return x + self._answer(self.norm(x), context, state)
        if self.placement == "post":
            return self._normed(x + self._answer(x, context, state))
        if self.placement == "sandwich":
            after: Tensor = self.after(self._answer(self.norm(x), context, state))
            return x + after
        if self.placement == "output":
            return x + self._normed(self._answer(x, context, state))
        return self._answer(self.norm(x), context, state)

    def _answer(self, x: Tensor, context: Context, state: Any) -> Tensor:
        answer: Tensor = self.dropout(self.op(x, context, state))
        return answer

    def _normed(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(x)
        return normed
