"""Look over attention's shoulder: what every head of a model looks at, by hooks on the products of attention.

    with Watch(model) as watch:
        model(ids)
    watch.maps[0].weights                # (batch, heads, time, keys) of the lowest sublayer that attends

The kernels of training never write these weights down, so they are computed once more beside them, while one watches.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hornbook.model.attend import Attend
from hornbook.model.attention import SelfAttention
from hornbook.model.search import AdditiveAttend, LastWord
from hornbook.model.simplified import ShapedSelfAttention


@dataclass
class Map:
    """Where the queries of one sublayer looked in one pass."""

    sublayer: str  # the name of its module
    itself: bool  # whether it looks at its own sequence, not at a memory
    weights: Float[Tensor, "batch heads time keys"]

    def habits(self) -> dict[str, Float[Tensor, " heads"]]:
        """The share of each head's weight on places of one kind, over all queries of the first row."""
        weights = self.weights[0].float()
        if not self.itself or weights.shape[1] < 2:
            return {"at one place at a time": weights.amax(-1).mean(-1)}
        beside = {"itself": 0, "before": -1} | ({"after": 1} if weights.triu(1).any() else {})
        found = {name: weights.diagonal(offset=gap, dim1=1, dim2=2).mean(-1) for name, gap in beside.items()}
        return {f"at the token {name}": share for name, share in found.items()} | {
            "at the first token": weights[:, 1:, 0].mean(-1)
        }


class Watch:
    """Collects the maps of the passes inside `with`, in the order in which they were made."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.maps = model, list[Map]()
        self._hooks = list[Any]()

    def __enter__(self) -> "Watch":
        modules = dict(self.model.named_modules())
        for name, module in modules.items():
            if isinstance(module, Attend | AdditiveAttend | LastWord):
                owner = name.rpartition(".")[0]
                itself = isinstance(modules[owner], SelfAttention | ShapedSelfAttention)
                keep = self._keeper(owner, itself=itself)
                self._hooks.append(module.register_forward_hook(keep, with_kwargs=True))
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _keeper(self, sublayer: str, *, itself: bool) -> Any:
        def keep(attend: Any, given: tuple[Any, ...], options: dict[str, Any], answer: Tensor) -> None:  # noqa: ARG001
            q, k, _, mask = given
            weights = attend.weights(q, k, mask, **options).detach()
            before = self.maps[-1] if self.maps else None
            if before is not None and before.sublayer == sublayer and weights.shape[2] == 1:
                before.weights = torch.cat([before.weights, weights], 2)  # a recurrence, which looks once per step
            else:
                self.maps.append(Map(sublayer, itself, weights))

        return keep
