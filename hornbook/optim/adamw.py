"""AdamW: Adam with weight decay taken from the weight and not through the gradient's moments.

Loshchilov and Hutter 2019, algorithm 2, with torch's fused kernel (one pass over each tensor on CPU and GPU). Leaves
out AMSGrad and Nesterov's form. Which parameters decay is decided in `groups`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hornbook.optim.groups import Groups, flat_state, load_flat_state, split
from hornbook.optim.sharded import hand_over, parameter_piece


@dataclass(frozen=True, kw_only=True)
class AdamW:
    """Per step: m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  w -= lr (decay w + m' / (sqrt(v') + epsilon)).

    m' and v' are m / (1 - b1^t) and v / (1 - b2^t): a first step has length lr in every coordinate.
    """

    lr: float = 1e-3  # the peak; the schedule multiplies it
    beta1: float = 0.9  # memory of the mean
    beta2: float = 0.95  # memory of the square; 0.95 as in GPT-3, 0.999 forgets a spike too slowly
    epsilon: float = 1e-8
    weight_decay: float = 0.1  # GPT-3, appendix B

    def __post_init__(self) -> None:
        if self.lr <= 0 or self.epsilon <= 0:
            raise ValueError(f"lr {self.lr} and epsilon {self.epsilon} must be more than 0")
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ValueError(f"beta1 {self.beta1} and beta2 {self.beta2} must lie in [0, 1)")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay: {self.weight_decay} is negative; 0 turns it off")

    def build(self, model: nn.Module) -> "AdamWOptimizer":
        """The optimizer of a model's trainable parameters."""
        return AdamWOptimizer(self, split(model))


class AdamWOptimizer:
    """torch's AdamW over two groups (decaying, not decaying), with state by parameter name."""

    def __init__(self, config: AdamW, groups: Groups) -> None:
        self.config = config
        decaying = {**groups.matrices, **groups.head}
        steady = {**groups.tables, **groups.vectors}
        self.names = {**decaying, **steady}
        parameters = [
            {"params": [parameter_piece(each) for each in decaying.values()], "weight_decay": config.weight_decay},
            {"params": [parameter_piece(each) for each in steady.values()], "weight_decay": 0.0},
        ]
        betas = (config.beta1, config.beta2)
        parameters = [group for group in parameters if group["params"]]
        self.torch = torch.optim.AdamW(parameters, config.lr, betas=betas, eps=config.epsilon, fused=True)

    @property
    def lr(self) -> float:
        """The rate of the next step."""
        return float(self.torch.param_groups[0]["lr"])

    def set_lr(self, multiplier: float) -> None:
        """Every group's rate becomes `multiplier` times its base rate."""
        for group in self.torch.param_groups:
            group["lr"] = self.config.lr * multiplier

    def step(self) -> None:
        """Move the weights along the gradients they hold."""
        hand_over(self.names.values())
        self.torch.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.torch.zero_grad(set_to_none=True)
        for parameter in self.names.values():
            parameter.grad = None

    def state_tensors(self) -> dict[str, Tensor]:
        """Both moments and the step count of every parameter, by name; not copied."""
        return flat_state(self.torch, self.names)

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `state_tensors` gave, bit for bit."""
        load_flat_state(self.torch, self.names, tensors)
