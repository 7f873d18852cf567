"""What stands on top of a stack and turns vectors into answers."""
# ruff: noqa: ARG002 -- a head is told what is padding; those that look at each place alone do not ask

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from hornbook.model import native
from hornbook.model.blank import Linear


@dataclass(frozen=True, kw_only=True)
class Language:
    """A score for every token of the vocabulary."""

    USUAL: ClassVar[bool] = True  # what a head without `type:` is

    tied: bool = True  # its matrix is the embedding's (Press and Wolf 2017)
    bias: bool = False
    scaled: bool = False  # hidden divided by sqrt(dim) first (T5)
    soft_cap: float | None = None  # logits stay in (-soft_cap, soft_cap) (Gemma 2)

    def __post_init__(self) -> None:
        if self.soft_cap is not None and self.soft_cap <= 0:
            raise ValueError(f"soft_cap: {self.soft_cap} is not above 0; give more")

    def build(self, dim: int, vocab: int, width: int | None = None) -> "Head":
        """width: channels of the embedding table; None: `dim`."""
        check_vocab(vocab)
        if self.tied and width not in (None, dim):
            raise ValueError(f"tied: the table has {width} channels and the stream {dim}; set tied: false")
        return Head(dim, vocab, self)


def check_vocab(vocab: int) -> None:
    """Refuse to guess tokens where there are none."""
    if not vocab:
        raise ValueError("head: guesses tokens, and this model reads images; take a sequence_classifier")


class Head(Linear):
    """hidden -> logits"""

    def __init__(self, dim: int, vocab: int, config: Language) -> None:
        super().__init__(dim, vocab, bias=config.bias)
        self.soft_cap = config.soft_cap
        self.scale = dim**-0.5 if config.scaled else None

    def forward(
        self, hidden: Float[Tensor, "*rows dim"], real: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "*rows vocab"]:
        hidden = hidden if self.scale is None else hidden * self.scale
        logits = native.few(hidden, self.weight) if self.adapter is None and self.bias is None else None
        if logits is None:
            logits = super().forward(hidden)
        return logits if self.soft_cap is None else self.soft_cap * torch.tanh(logits / self.soft_cap)
