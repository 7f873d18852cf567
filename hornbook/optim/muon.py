"""Muon: momentum whose update is made orthogonal, so that every direction of a weight matrix learns at one speed.

Keller Jordan 2024, "Muon: An optimizer for hidden layers in neural networks". The step is lr * sqrt(max(1, rows /
columns)) * orthogonal(momentum): that post's scaling, which keeps the change of a layer's output the same whatever the
width. Embeddings, head, gains and biases go to AdamW with their own rate. Leaves out the 0.2 sqrt(max(rows, columns))
scaling of Moonlight (2025), made to reuse AdamW's rates.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from hornbook.optim.adamw import AdamW, AdamWOptimizer
from hornbook.optim.groups import Groups, split
from hornbook.optim.sharded import by_owners, is_shared, own_piece, piece, shared_like

ROUND = 5  # steps that `_by_gram_matrix` may take at once
WIDE = 1.5  # columns per row from which it is cheaper: 4 c/r + 34 products of r^3 against 20 c/r + 10, for five steps
QUINTIC = (3.4445, -4.7750, 2.0315)  # Jordan 2024: steepest at 0, so that small singular values reach ~1 in 5 steps


@dataclass(frozen=True, kw_only=True)
class Muon:
    """Orthogonalised Nesterov momentum for the layers' matrices, `adam` for everything else."""

    lr: float = 0.02  # the peak; Jordan's default
    momentum: float = 0.95
    weight_decay: float = 0.01
    steps: int = 5  # of Newton-Schulz
    adam: AdamW = field(default_factory=AdamW)

    def __post_init__(self) -> None:
        if self.lr <= 0:
            raise ValueError(f"lr: {self.lr} must be more than 0")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum: {self.momentum} must lie in [0, 1)")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay: {self.weight_decay} is negative; 0 turns it off")
        if not 1 <= self.steps <= 20:
            raise ValueError(f"steps: {self.steps} of Newton-Schulz; give 1 to 20, 5 is usual")

    def build(self, model: nn.Module) -> "MuonOptimizer":
        """The optimizer of a model's trainable parameters."""
        return MuonOptimizer(self, split(model))


class MuonOptimizer:
    """Muon over the matrices of rank 2 and AdamW over the rest, stepped together."""

    def __init__(self, config: Muon, groups: Groups) -> None:
        self.config, self.multiplier = config, 1.0
        self.matrices = {name: weight for name, weight in groups.matrices.items() if weight.ndim == 2}
        others = {name: weight for name, weight in groups.matrices.items() if weight.ndim != 2}
        rest = Groups(matrices=others, head=groups.head, tables=groups.tables, vectors=groups.vectors)
        self.adam = AdamWOptimizer(config.adam, rest) if _any(rest) else None
        self.momenta: dict[str, Tensor] = {}

    @property
    def lr(self) -> float:
        """The rate of the matrices' next step."""
        return self.config.lr * self.multiplier

    def set_lr(self, multiplier: float) -> None:
        """Every group's rate becomes `multiplier` times its base rate."""
        self.multiplier = multiplier
        if self.adam is not None:
            self.adam.set_lr(multiplier)

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights along the gradients they hold."""
        if self.adam is not None:
            self.adam.step()
        stacks: dict[object, list[tuple[Tensor, Tensor]]] = defaultdict(list)
        self._move_shared()
        for name, weight in self.matrices.items():
            if weight.grad is None or is_shared(weight):
                continue
            together = weight.shape if weight.is_cuda else name  # stacks save launches; on a CPU they are 3-25 % slower
            stacks[together].append((weight, self._direction(name, weight.grad)))
        for pairs in stacks.values():
            self._move(pairs)

    def _direction(self, name: str, gradient: Tensor) -> Tensor:
        """Nesterov: the gradient, looked at from where the momentum will have carried the weight."""
        momentum = self.momenta.get(name)
        if momentum is None:
            momentum = self.momenta[name] = torch.zeros_like(gradient)
        momentum.lerp_(gradient, 1 - self.config.momentum)
        return gradient.lerp(momentum, self.config.momentum)

    def _move_shared(self) -> None:
        """Step the matrices that ranks share: momenta stay in pieces, each matrix is made orthogonal by one rank."""
        shared, pieces = dict[str, nn.Parameter](), dict[str, Tensor]()
        for name, weight in self.matrices.items():
            if is_shared(weight) and weight.grad is not None:
                shared[name], pieces[name] = weight, self._direction(name, piece(weight.grad))
        updates = by_owners(
            pieces, shared, lambda _, whole: orthogonal(whole[None], self.config.steps)[0].to(whole.dtype)
        )
        for name, update in updates.items():
            rows, columns = shared[name].shape
            local = piece(shared[name].detach())
            local.mul_(1 - self.lr * self.config.weight_decay)
            local.add_(update, alpha=-self.lr * max(1.0, rows / columns) ** 0.5)

    def _move(self, pairs: list[tuple[Tensor, Tensor]]) -> None:
        """Step matrices of one shape."""
        weights = [weight for weight, _ in pairs]
        updates = orthogonal(torch.stack([direction for _, direction in pairs]), self.config.steps)
        rows, columns = weights[0].shape
        scale = max(1.0, rows / columns) ** 0.5
        torch._foreach_mul_(weights, 1 - self.lr * self.config.weight_decay)
        torch._foreach_add_(weights, list(updates.to(weights[0].dtype)), alpha=-self.lr * scale)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.matrices.values():
            weight.grad = None
        if self.adam is not None:
            self.adam.zero_grad()

    def state_tensors(self) -> dict[str, Tensor]:
        """The momentum of every matrix and AdamW's state of the rest, by parameter name; not copied."""
        momenta = {f"{name}/momentum": shared_like(kept, self.matrices[name]) for name, kept in self.momenta.items()}
        return {**momenta, **(self.adam.state_tensors() if self.adam is not None else {})}

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `state_tensors` gave, bit for bit."""
        self.momenta, rest = {}, {}
        for full, value in tensors.items():
            name, _, key = full.rpartition("/")
            weight = self.matrices.get(name)
            if key != "momentum" or weight is None:
                rest[full] = value
            elif weight.shape != value.shape:
                was, now = tuple(value.shape), tuple(weight.shape)
                raise ValueError(f"{full}: shape {was} does not fit the parameter's {now}; was the recipe changed?")
            else:
                self.momenta[name] = own_piece(value, weight).to(weight.device, copy=True)
        if self.adam is not None:
            self.adam.load_state_tensors(rest)
        elif rest:
            raise ValueError(f"{next(iter(rest))}: optimizer state for a parameter the model has not")


def orthogonal(matrices: Tensor, steps: int) -> Tensor:
    """Singular values pushed to about 1, singular vectors kept: Newton-Schulz on a stack (count, rows, columns).

    Each step is X <- aX + b(XX')X + c(XX')^2 X: on every singular value the polynomial a s + b s^3 + c s^5. After five
    they lie between 0.68 and 1.21 unless they began under 0.003. bfloat16 on a GPU (Jordan 2024), otherwise fp32.
    """
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x.to(torch.bfloat16 if x.is_cuda else torch.float32)
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)  # then no singular value is above 1
    if x.shape[-1] < WIDE * x.shape[-2] or x.is_cuda:
        x = _directly(x, steps)
    else:
        for done in range(0, steps, ROUND):
            x = _by_gram_matrix(x, min(ROUND, steps - done))
    return x.mT if tall else x


def _directly(x: Tensor, steps: int) -> Tensor:
    """Newton-Schulz as it is written: three products a step, two of them with the long side."""
    a, b, c = QUINTIC
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def _by_gram_matrix(x: Tensor, steps: int) -> Tensor:
    """The same by products of rows x rows only: with P = aI + bG + cG^2, X becomes PX and its G = XX' becomes PGP.

    The P of all steps are multiplied first and meet X once. Rounding errors of G grow twelvefold a step, so in fp32 the
    result is exact to 5e-4 after five steps and useless after ten (in bfloat16 sooner): hence ROUND.
    """
    a, b, c = QUINTIC
    gram = x @ x.mT
    whole = torch.eye(gram.shape[-1], device=x.device).expand_as(gram)
    for step in range(steps):
        p = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)  # without its aI, which `beta` adds below
        whole = torch.baddbmm(whole, p, whole, beta=a) if step else p + a * whole
        if step < steps - 1:
            left = torch.baddbmm(gram, p, gram, beta=a)
            gram = torch.baddbmm(left, left, p, beta=a)
    return whole @ x


def _any(groups: Groups) -> bool:
    return bool(groups.matrices or groups.head or groups.tables or groups.vectors)
