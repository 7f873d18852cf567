"""The numbers a model starts from, all in this file.

|                                   | Normal (GPT-2)           | ZeroOutput (the speed recipes)             |
|-----------------------------------|--------------------------|--------------------------------------------|
| embeddings                        | N(0, std)                | N(0, 1); tied: N(0, 1/sqrt(dim))           |
| learned positions                 | N(0, std)                | as embeddings                              |
| matrices (query, key, up, ...)    | N(0, std)                | uniform, deviation 1/sqrt(inputs)          |
| `output`, which writes to the     | N(0, std / sqrt(n)), n   | 0: every sublayer starts by adding nothing |
|   stream                          |   sublayers in the stack |                                            |
| head (where not tied)             | N(0, std)                | N(0, 0.001): the first loss is ln(vocab)   |
| biases; gains of norms            | 0; 1                     | 0; 1                                       |

Normal is GPT-2's (Radford et al. 2019, section 2.3: "scale the weights of residual layers by 1/sqrt(N)"). Zero output
projections are from fixup and muP (Zhang et al. 2019; Yang et al. 2021); the rest of that column is common in recipes
that race to a loss. Recurrent sublayers then set their own rates of forgetting (`OwnNumbers`: Mamba, RWKV, Hyena, GRU).
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from hornbook.model.blank import OwnNumbers
from hornbook.model.head import Head


@dataclass(frozen=True, kw_only=True)
class Normal:
    """GPT-2's initialisation."""

    std: float = 0.02

    @torch.no_grad()
    def fill(self, model: nn.Module, generator: Generator) -> None:
        """Draw every parameter of `model` from `generator`."""
        outputs = {name.partition(".experts.")[0] for name, _ in model.named_modules() if _writes_to_stream(name)}
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                std = self.std / math.sqrt(len(outputs)) if _writes_to_stream(name) else self.std
                module.weight.normal_(0.0, std, generator=generator)
            _plain(module)
        _own(model, generator)


@dataclass(frozen=True, kw_only=True)
class ZeroOutput:
    """Every sublayer starts by adding nothing; matrices keep the size of what goes through them."""

    head_std: float = 0.001

    @torch.no_grad()
    def fill(self, model: nn.Module, generator: Generator) -> None:
        """Draw every parameter of `model` from `generator`."""
        tables = [module.weight for module in model.modules() if isinstance(module, nn.Embedding)]
        heads = [module.weight for module in model.modules() if isinstance(module, Head)]
        for name, module in model.named_modules():
            if isinstance(module, nn.Embedding):
                std = module.embedding_dim**-0.5 if _among(heads, module.weight) else 1.0
                module.weight.normal_(0.0, std, generator=generator)
            elif _writes_to_stream(name):
                module.weight.zero_()
            elif isinstance(module, Head) and not _among(tables, module.weight):
                module.weight.normal_(0.0, self.head_std, generator=generator)
            elif isinstance(module, nn.Linear) and not isinstance(module, Head):
                bound = math.sqrt(3 / module.in_features)  # a uniform number in (-b, b) has deviation b / sqrt(3)
                module.weight.uniform_(-bound, bound, generator=generator)
            _plain(module)
        _own(model, generator)


Init = Normal | ZeroOutput


def _writes_to_stream(name: str) -> bool:
    return name.endswith(".output")


def _among(weights: list[Tensor], weight: Tensor) -> bool:
    return any(weight is other for other in weights)


def _own(model: nn.Module, generator: Generator) -> None:
    """Recurrent sublayers know their rates of forgetting best."""
    own = [module for module in model.modules() if isinstance(module, OwnNumbers)]
    for number, module in enumerate(own):
        module.first_numbers(generator, number / len(own))


def _plain(module: nn.Module) -> None:
    """Biases start at 0 and the gains of norms at 1."""
    if isinstance(bias := getattr(module, "bias", None), nn.Parameter):
        bias.zero_()
    if isinstance(module, nn.LayerNorm | nn.RMSNorm) and module.weight is not None:
        module.weight.fill_(getattr(module, "neutral", 1.0))
