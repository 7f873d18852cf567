"""Memory of training by part, on the fullest rank of a mesh: weights, gradients, optimizer, activations, logits.

Weights are fp32 with bf16 only inside a pass, or all bf16 with fp32 copies in the optimizer: 16 bytes a parameter with
AdamW either way (Rajbhandari et al. 2020, ZeRO, section 3.1). ZeRO, tensors and stages divide them; activations follow
Korthikanti et al. 2022, "Reducing Activation Recomputation", but what a layer keeps is counted (activations.py).
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import nn

from hornbook.model.embed import Tokens
from hornbook.model.models import Model
from hornbook.model.stack import Layer
from hornbook.objective.cross_entropy import CHUNK
from hornbook.optim.adamw import AdamW
from hornbook.optim.galore import Galore
from hornbook.optim.muon import Muon
from hornbook.plan.activations import kept, layers
from hornbook.train.mesh import Mesh

Optimizer = AdamW | Muon | Galore


@dataclass(frozen=True, kw_only=True)
class Step:
    """What goes through the model, and how."""

    model: Model
    length: int  # tokens of a row
    micro_batch: int = 1  # rows at once on a rank
    tokens: int = 2**22  # of an optimizer step, over all ranks
    optimizer: Optimizer = field(default_factory=AdamW)
    half: bool = True  # activations in two bytes
    checkpoint_layers: bool = False

    def passes(self, mesh: Mesh, world: int) -> int:
        """Micro-batches of a step that one rank goes through."""
        readers = world // (mesh.context * mesh.tensor * mesh.pipeline)
        return max(1, math.ceil(self.tokens / (readers * self.micro_batch * self.length)))


@dataclass(frozen=True)
class Shape:
    """Parameters of a design, by where they are; elements of 2-D matrices of layers (Muon's), and the rest."""

    layer: int  # of one layer, on average
    matrices: int  # of that, in matrices
    root: int  # embedding, head, last norm
    embedding: int
    layers: int

    @property
    def all(self) -> int:
        """Of the whole model."""
        return self.layer * self.layers + self.root


@lru_cache(maxsize=64)
def shape(model: Model) -> Shape:
    """Count a design on the meta device."""
    with torch.device("meta"):
        built: nn.Module = model.build()
    blocks = [module for module in built.modules() if isinstance(module, Layer)]
    of_layers = {id(each): each for block in blocks for each in block.parameters()}.values()
    inside, total = sum(each.numel() for each in of_layers), sum(each.numel() for each in built.parameters())
    tables = [module for module in built.modules() if isinstance(module, nn.Embedding)]
    number = max(1, len(blocks))
    matrices = sum(each.numel() for each in of_layers if each.dim() == 2)
    embedding = sum(each.numel() for each in {id(table.weight): table.weight for table in tables}.values())
    return Shape(inside // number, matrices // number, total - inside, embedding, number)


def memory(step: Step, mesh: Mesh) -> dict[str, float]:
    """Bytes by part on the fullest rank, and `together`, the peak."""
    form = shape(step.model)
    root = form.root if mesh.pipeline == 1 else max(form.embedding, form.root - form.embedding)
    layer, stage = form.layer / mesh.tensor, math.ceil(form.layers / mesh.pipeline)
    whole = layer * stage + root / mesh.tensor
    own = whole / mesh.shard
    at_once = root / mesh.tensor + 2 * layer  # gathered: the root, the layer at work and the next one
    weights, gradients = own, own
    if mesh.shard > 1:
        weights += whole if mesh.zero < 3 else min(whole, at_once)
        gradients = whole if mesh.zero == 1 else own + min(whole, at_once - layer)
    parts = {
        "weights": 4 * weights,
        "gradients": 4 * gradients,
        "optimizer": _states(step.optimizer, form) * own,
        "activations": _activations(step, mesh, stage),
        "logits": _logits(step.model, root / mesh.tensor),
    }
    return {**parts, "together": sum(parts.values())}


def _states(optimizer: Optimizer, form: Shape) -> float:
    """Bytes of the optimizer a parameter."""
    in_matrices = form.matrices * form.layers / form.all
    if isinstance(optimizer, Muon):
        return 8 - 4 * in_matrices  # one momentum for a matrix, AdamW's two for the rest
    if isinstance(optimizer, Galore):
        side = math.sqrt(max(1, form.matrices / 6))  # of a usual layer's six matrices
        return 8 - 8 * in_matrices * max(0.0, 1 - 1.5 * optimizer.rank / side)  # moments, and the directions
    return 8


def _activations(step: Step, mesh: Mesh, stage: int) -> float:
    """Of one micro-batch; with stages, of as many as are under way (1F1B: as many as there are stages)."""
    width = step.model.dim
    rows = step.micro_batch * step.length / mesh.context
    found = kept(step.model, step.length).numbers
    stream = 2.0 * width  # norms and residuals: on every rank of `tensor`, unless the tokens are shared too
    inside = max(0.0, found - 4 * stream) / mesh.tensor
    outside = min(found, 4 * stream) / (mesh.tensor if mesh.sequence else 1)
    size = 2 if step.half else 4
    repeated = layers(step.model) / shape(step.model).layers
    if step.checkpoint_layers:
        alone = width / (mesh.tensor if mesh.sequence else 1)
        return size * rows * (alone * stage * repeated * mesh.pipeline + inside + outside)
    return size * rows * (inside + outside) * stage * repeated * mesh.pipeline


def _logits(model: Model, root: float) -> float:
    """A chunk's scores with their gradient and softmax, and the head's gradient beside its sum; none without words."""
    words = model.vocab if isinstance(getattr(model, "embed", None), Tokens) else 0
    return 4.0 * (3 * CHUNK * words + min(root, words * model.dim))
