"""GaLore: AdamW whose moments live in the few directions in which a matrix's gradient is large.

Zhao et al. 2024, "GaLore: Memory-Efficient LLM Training by Gradient Low-Rank Projection", algorithm 2. A gradient G
(rows, columns) is seen through an orthonormal basis of its largest singular vectors, `rank` of them and of the shorter
side: G P' where a matrix is tall or square, P' G where it is wide. Adam works on that small matrix, its step is turned
back to full size and multiplied by `scale`. Every `gap` steps the basis is found again, and the moments stay as they
are. epsilon stands beside the square as it is kept, its bias still in it, as in the authors' code. Leaves out moments
of 8 bits and steps that are taken while the gradient is still being computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.optim.adamw import AdamW, AdamWOptimizer
from hornbook.optim.groups import Groups, split


@dataclass(frozen=True, kw_only=True)
class Galore:
    """Adam in a subspace for the layers' matrices, `adam` as it is for everything else; both at `adam`'s rate."""

    rank: int = 128  # directions that are kept; a quarter of the width is the paper's usual
    gap: int = 200  # steps between two looks for the directions; the paper, section 4.1
    scale: float = 0.25  # of the step, alpha in the paper
    adam: AdamW = field(default_factory=AdamW)

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"rank: {self.rank} directions; give 1 or more, such as a quarter of the model's width")
        if self.gap < 1:
            raise ValueError(f"gap: {self.gap} steps; give 1 or more, 200 is usual")
        if self.scale <= 0:
            raise ValueError(f"scale: {self.scale} must be more than 0; 0.25 is usual")

    def build(self, model: nn.Module) -> "GaloreOptimizer":
        """The optimizer of a model's trainable parameters."""
        return GaloreOptimizer(self, split(model))


@dataclass
class Slot:
    """What is kept of one matrix: moments of its gradient, seen through the basis."""

    basis: Tensor  # (rank, columns) of a tall matrix, (rows, rank) of a wide one
    mean: Tensor  # (rows, rank) or (rank, columns)
    square: Tensor
    step: Tensor  # how often it moved

    def project(self, gradient: Tensor) -> Tensor:
        """A gradient, small."""
        return gradient @ self.basis.T if is_tall(gradient) else self.basis.T @ gradient

    def move(self, weight: Tensor, step: Tensor, *, size: float, keep: float) -> None:
        """weight <- keep (weight - size step), where `step` is small and is turned back."""
        left, right = (step, self.basis) if is_tall(weight) else (self.basis, step)
        weight.addmm_(left, right, beta=keep, alpha=-size * keep)


def is_tall(matrix: Tensor) -> bool:
    """Whether the columns are the shorter side, or as long as the other."""
    return matrix.shape[0] >= matrix.shape[1]


class GaloreOptimizer:
    """GaLore over the matrices whose shorter side is above the rank, AdamW over the rest, stepped together."""

    def __init__(self, config: Galore, groups: Groups) -> None:
        self.config, self.multiplier = config, 1.0
        shapes = {name: tuple(weight.shape) for name, weight in groups.matrices.items() if weight.ndim == 2}
        names = {name for name, shape in shapes.items() if min(shape) > config.rank}
        if not names:
            widest = max((min(shape) for shape in shapes.values()), default=0)
            raise UserError(
                f"optimizer.rank: {config.rank} saves nothing, for the shorter side of every matrix in the layers is "
                f"at most {widest}; give less, such as {max(1, widest // 4)}"
            )
        self.matrices = {name: groups.matrices[name] for name in shapes if name in names}
        others = {name: weight for name, weight in groups.matrices.items() if name not in names}
        rest = Groups(matrices=others, head=groups.head, tables=groups.tables, vectors=groups.vectors)
        self.adam = AdamWOptimizer(config.adam, rest) if any(vars(rest).values()) else None
        self.slots: dict[str, Slot] = {}

    @property
    def lr(self) -> float:
        """The rate of the next step."""
        return self.config.adam.lr * self.multiplier

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
        for name, weight in self.matrices.items():
            if weight.grad is not None:
                self._move(weight, weight.grad, self._slot(name, weight.grad))

    def _slot(self, name: str, gradient: Tensor) -> Slot:
        """What is kept of a matrix, with a basis that is not too old."""
        slot = self.slots.get(name)
        if slot is None:
            basis = self._basis(name, gradient)
            slot = Slot(basis, basis, basis, torch.zeros((), dtype=torch.int64))
            slot.mean, slot.square = (torch.zeros_like(slot.project(gradient)) for _ in range(2))
            self.slots[name] = slot
        elif int(slot.step) % self.config.gap == 0:
            slot.basis = self._basis(name, gradient)
        return slot

    def _basis(self, name: str, gradient: Tensor) -> Tensor:
        """The directions in which a gradient is largest, as a tensor of its own and no view that keeps the others."""
        at_least_single = torch.promote_types(gradient.dtype, torch.float32)  # LAPACK has no 16 bits
        try:
            left, _, right = torch.linalg.svd(gradient.to(at_least_single), full_matrices=False)
        except RuntimeError as error:  # LinAlgError is one
            raise UserError(
                f"{name}: its gradient has no singular values ({error}); make lr smaller, or keep the guard"
            ) from None
        rank = self.config.rank
        basis = right[:rank] if is_tall(gradient) else left[:, :rank]
        kept: Tensor = basis.to(gradient.dtype).clone(memory_format=torch.contiguous_format)
        return kept

    def _move(self, weight: Tensor, gradient: Tensor, slot: Slot) -> None:
        """Adam's step in the subspace; decay shortens the weight that has moved."""
        adam, small = self.config.adam, slot.project(gradient)
        slot.step += 1
        slot.mean.lerp_(small, 1 - adam.beta1)
        slot.square.mul_(adam.beta2).addcmul_(small, small, value=1 - adam.beta2)
        step = slot.mean / slot.square.sqrt().add_(adam.epsilon)
        done = int(slot.step)
        unbiased = (1 - adam.beta2**done) ** 0.5 / (1 - adam.beta1**done)
        size = self.lr * unbiased * self.config.scale
        slot.move(weight, step, size=size, keep=1 - self.lr * adam.weight_decay)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.matrices.values():
            weight.grad = None
        if self.adam is not None:
            self.adam.zero_grad()

    def state_tensors(self) -> dict[str, Tensor]:
        """Basis, moments and count of every matrix and AdamW's state of the rest, by parameter name; not copied."""
        ours = {f"{name}/{key}": value for name, slot in self.slots.items() for key, value in vars(slot).items()}
        return {**ours, **(self.adam.state_tensors() if self.adam is not None else {})}

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `state_tensors` gave, bit for bit."""
        found: dict[str, dict[str, Tensor]] = {}
        rest = {}
        for full, value in tensors.items():
            name, _, key = full.rpartition("/")
            weight = self.matrices.get(name)
            if weight is None:
                rest[full] = value
                continue
            shape = self._shapes(weight).get(key)
            if shape != tuple(value.shape):
                raise ValueError(f"{full}: shape {tuple(value.shape)} and not {shape}; was the recipe changed?")
            found.setdefault(name, {})[key] = value.to(weight.device if value.ndim else "cpu", copy=True)
        self.slots = {name: Slot(**slot) for name, slot in found.items()}
        if self.adam is not None:
            self.adam.load_state_tensors(rest)
        elif rest:
            raise ValueError(f"{next(iter(rest))}: optimizer state for a parameter the model has not")

    def _shapes(self, weight: Tensor) -> dict[str, tuple[int, ...]]:
        """What is kept of a matrix, by name."""
        (rows, columns), rank = weight.shape, self.config.rank
        basis, small = ((rank, columns), (rows, rank)) if is_tall(weight) else ((rows, rank), (rank, columns))
        return {"basis": basis, "mean": small, "square": small, "step": ()}
