"""A mixture of experts: many MLPs, of which each token is shown to a few (Shazeer et al. 2017, section 2).

    answer = sum over the chosen experts of weight * expert(x),  weights from softmax(router(x))

A model of many parameters then costs what a small one does. Switch (Fedus et al. 2021) takes one expert a token,
Mixtral (Jiang et al. 2024) two. Tokens are sorted by expert, so that each expert does one product over all of its
tokens; sums are taken in the order of the tokens, the same every time. Not here: a limit on the tokens of an expert
(capacity), noise in the router, experts that see every token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from hornbook.model.balance import Routed
from hornbook.model.blank import Linear
from hornbook.model.cut import Cut
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.op import Context, Op


@dataclass(frozen=True, kw_only=True)
class Experts:
    """Several MLPs and the router that chooses among them."""

    experts: int
    active: int  # that a token is shown to
    expert: MLP | GatedMLP
    normalized: bool = True  # the weights of the chosen sum to 1; false: they are the router's probabilities (Switch)
    balance: float = 0.01  # weight of the balancing loss in training (Fedus et al., section 2.2)

    def __post_init__(self) -> None:
        if not 1 <= self.active <= self.experts:
            raise ValueError(f"active: {self.active} of {self.experts} experts; give at least 1 and at most all")
        if self.active == 1 and self.normalized:
            raise ValueError("normalized: true makes the weight of a single expert 1, which teaches the router nothing")
        if self.balance < 0:
            raise ValueError(f"balance: {self.balance} would send all tokens to one expert; give 0 or more")

    def build(self, dim: int) -> "ExpertsOp":
        return ExpertsOp(dim, self)


class ExpertsOp(Op):
    plan: ClassVar[Mapping[str, Cut]] = {}  # the router is whole on every rank; each expert is shared by its own plan

    def __init__(self, dim: int, config: Experts) -> None:
        super().__init__()
        self.config = config
        self.router = Linear(dim, config.experts, bias=False)
        self.experts = nn.ModuleList(config.expert.build(dim) for _ in range(config.experts))

    def forward(
        self,
        x: Float[Tensor, "batch time dim"],
        context: Context,
        state: Any = None,  # noqa: ARG002 -- a token's experts do not depend on others
    ) -> Float[Tensor, "batch time dim"]:
        tokens = x.flatten(0, 1)
        probabilities: Tensor = self.router(tokens).softmax(-1, dtype=torch.float32)
        weights, chosen = probabilities.topk(self.config.active, -1)
        if self.training and self.config.balance:
            context.routed.append(Routed(self.config.balance, probabilities, chosen, context.real(x.shape[1])))
        if self.config.normalized:
            weights = weights / weights.sum(-1, keepdim=True)
        answers = self._ask(tokens, chosen, context) * weights.to(x.dtype)[:, :, None]
        return answers.sum(1).view_as(x)

    def _ask(
        self, tokens: Float[Tensor, "tokens dim"], chosen: Int[Tensor, "tokens active"], context: Context
    ) -> Float[Tensor, "tokens active dim"]:
        """What the chosen experts say."""
        flat = chosen.flatten()  # (tokens * active); entry i belongs to token i // active
        order = flat.argsort(stable=True)
        counts = flat.bincount(minlength=len(self.experts)).tolist()
        shown = torch.split(tokens[order // chosen.shape[1]], counts)
        # In training an expert that nobody chose is asked about nothing: its gradient is 0, as on every other machine.
        asked = [(expert, part) for expert, part in zip(self.experts, shown, strict=True) if len(part) or self.training]
        said = torch.cat([expert(part[None], context)[0] for expert, part in asked])
        return said[order.argsort()].view(*chosen.shape, -1)

    def flops(self, length: int) -> int:
        """Of the router and of the experts that a token is shown to."""
        each = next(expert for expert in self.experts if isinstance(expert, Op))
        return 2 * self.router.weight.numel() + self.config.active * each.flops(length)
