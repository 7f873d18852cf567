"""Guess the tokens that were hidden: BERT's head for masked language modelling, and for pretraining with pairs.

Devlin et al. 2019, section 3.1. Before the table of words stands a transform of its own, dense, activation, norm; their
code has it, the paper does not mention it. The table is the embedding's, and may be narrower than the stream (ALBERT).
"""
# ruff: noqa: ARG002 -- a head is told what is padding; one that looks at each place alone does not ask

from dataclasses import dataclass, field

from jaxtyping import Bool, Float
from torch import Tensor, nn

from hornbook.model.blank import Linear
from hornbook.model.head import Head, Language, check_vocab
from hornbook.model.mlp import ACTIVATIONS, Activation
from hornbook.model.norm import LayerNorm, Norm
from hornbook.model.pool import NextSentence


@dataclass(frozen=True, kw_only=True)
class Masked:
    """A score for every token of the vocabulary at every place."""

    tied: bool = True  # its matrix is the embedding's
    activation: Activation = "gelu"
    norm: Norm = field(default_factory=LayerNorm)

    def build(self, dim: int, vocab: int, width: int) -> "MaskedHead":
        """width: channels of the embedding table."""
        check_vocab(vocab)
        return MaskedHead(dim, vocab, width, self)


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """BERT's two tasks at once: hidden words at every place, and whether the row's second text follows its first."""

    masked: Masked = field(default_factory=Masked)
    pair: NextSentence = field(default_factory=NextSentence)

    def build(self, dim: int, vocab: int, width: int) -> "MaskedHead":
        """The head for words; the one for pairs is `pair`'s, and the model's own."""
        return self.masked.build(dim, vocab, width)


class MaskedHead(nn.Module):
    """hidden -> logits, place by place: it may be given any selection of rows."""

    def __init__(self, dim: int, vocab: int, width: int, config: Masked) -> None:
        super().__init__()
        self.dense = Linear(dim, width)
        self.activation = ACTIVATIONS[config.activation]
        self.norm = config.norm.build(width)
        self.words = Head(width, vocab, Language(tied=config.tied, bias=True))

    def forward(
        self, hidden: Float[Tensor, "*rows dim"], real: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "*rows vocab"]:
        scores: Tensor = self.words(self.norm(self.activation(self.dense(hidden))))
        return scores
