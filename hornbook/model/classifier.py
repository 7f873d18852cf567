"""Labels and numbers for whole rows, or for every token: what a pretrained model is fine-tuned to say.

Devlin et al. 2019, section 4: one matrix on top, on the pooled vector or on each vector. On a decoder it stands on the
last token without a bias (Radford et al. 2018, section 3.2; `LAST` here, `...ForSequenceClassification` elsewhere); a
reward model is a `Regression` of one value there (Ouyang et al. 2022, section 3.5). Number and names of the labels are
the head's; the loss (one label, several at once, numbers) is the objective's business and told by the type.
"""
# ruff: noqa: ARG002 -- heads that need no tokens are built like those that do

from dataclasses import dataclass, field

from jaxtyping import Bool, Float
from torch import Tensor, nn

from hornbook.model.blank import Linear
from hornbook.model.pool import Documents, Pooling, Real, RowHead, Rows

LAST = Pooling(take="last", activation=None)  # of a decoder: the only token that has seen everything


@dataclass(frozen=True, kw_only=True)
class SequenceClassifier:
    """A score for each label of a row."""

    labels: int  # number of labels
    names: tuple[str, ...] = ()  # of the labels, in order; (): label 0, label 1, ...
    several: bool = False  # each label holds or not, with a probability of its own (one may be all); else exactly one
    pooling: Pooling = field(default_factory=Pooling)
    bias: bool = True  # decoders have none
    dropout: float = 0.0  # share of the pooled vector dropped while training

    def __post_init__(self) -> None:
        check_labels(self.labels, self.names, least=1 if self.several else 2)

    def build(self, dim: int, vocab: int, width: int) -> "RowScores":
        return RowScores(dim, self.labels, self)


@dataclass(frozen=True, kw_only=True)
class Regression:
    """Numbers for a row, of any size: how alike two sentences are, how stable a protein."""

    values: int = 1  # how many numbers
    pooling: Pooling = field(default_factory=Pooling)
    bias: bool = True  # decoders have none
    dropout: float = 0.0  # share of the pooled vector dropped while training

    def __post_init__(self) -> None:
        if self.values < 1:
            raise ValueError(f"values: {self.values} is no number to learn; give at least 1")

    def build(self, dim: int, vocab: int, width: int) -> "RowScores":
        return RowScores(dim, self.values, self)


@dataclass(frozen=True, kw_only=True)
class TokenClassifier:
    """A score for each label of every token: names in a text, the structure at a residue."""

    labels: int  # number of labels
    names: tuple[str, ...] = ()  # of the labels, in order; (): label 0, label 1, ...
    dropout: float = 0.0  # share of the vectors dropped while training

    def __post_init__(self) -> None:
        check_labels(self.labels, self.names)

    def build(self, dim: int, vocab: int, width: int) -> "TokenScores":
        return TokenScores(dim, self)


def check_labels(labels: int, names: tuple[str, ...], *, least: int = 2) -> None:
    """Refuse labels that cannot be told apart."""
    if labels < least:
        raise ValueError(f"labels: {labels} leave nothing to choose; give at least 2, or take a regression")
    if names and (len(names) != labels or len(set(names)) != labels):
        raise ValueError(f"names: {len(set(names))} different names for {labels} labels; name each once, or none")


class RowScores(RowHead):
    """(batch, time, dim) -> (batch, labels), or (documents, labels) of packed rows"""

    def __init__(self, dim: int, labels: int, config: SequenceClassifier | Regression) -> None:
        super().__init__()
        self.pooler = config.pooling.build(dim)
        self.dropout = nn.Dropout(config.dropout)
        self.labels = Linear(dim, labels, bias=config.bias)

    def forward(self, hidden: Float[Tensor, "batch time dim"], real: Real = None) -> Float[Tensor, "rows labels"]:
        return self.rows(hidden, real)["scores"]

    def rows(self, hidden: Float[Tensor, "batch time dim"], real: Real = None, documents: Documents = None) -> Rows:
        pooled = self.pooler(hidden, real, documents)
        return {"scores": self.labels(self.dropout(pooled)), "pooled": pooled}


class TokenScores(nn.Module):
    """hidden -> scores of labels, place by place"""

    def __init__(self, dim: int, config: TokenClassifier) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.labels = Linear(dim, config.labels)

    def forward(
        self, hidden: Float[Tensor, "*rows dim"], real: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "*rows labels"]:
        scores: Tensor = self.labels(self.dropout(hidden))
        return scores
