"""The quality step: a trained judge (quality_train.py) says how likely a text is of the good kind, a rule what follows.

The probability is written into the document's metadata as `quality`, whatever the rule.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from hornbook.corpus.clean import text_hash
from hornbook.corpus.document import Document, Result, Step
from hornbook.corpus.quality_model import load


@dataclass(frozen=True, kw_only=True)
class AtLeast:
    """Keeps what is likely enough."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability: {self.probability} is not between 0 and 1; try 0.5")

    def keeps(self, probability: float, text: str) -> bool:  # noqa: ARG002  # the others look at the text
        """Whether a text stays."""
        return probability >= self.probability


@dataclass(frozen=True, kw_only=True)
class ParetoDraw:
    """Keeps what is likely, and by lot some of what is not, so that a corpus has more than one kind of text.

    Brown et al. 2020 (GPT-3), appendix A: `np.random.pareto(9) > 1 - score`. The lot is drawn by the text's hash.
    """

    alpha: float = 9.0
    """The larger, the fewer unlikely texts stay."""

    def __post_init__(self) -> None:
        if self.alpha <= 0:
            raise ValueError(f"alpha: {self.alpha} is not above 0; GPT-3 took 9")

    def keeps(self, probability: float, text: str) -> bool:
        """Whether a text stays."""
        lot = (text_hash(text) + 0.5) / 2**64
        return float((1 - lot) ** (-1 / self.alpha) - 1) > 1 - probability  # the inverse of Lomax's distribution


@dataclass(frozen=True, kw_only=True)
class ScoreOnly:
    """Keeps everything: only the score is wanted."""

    def keeps(self, probability: float, text: str) -> bool:  # noqa: ARG002  # as above
        """Yes."""
        return True


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Judges every text by a trained model."""

    name: ClassVar[str] = "quality"
    model: Path
    """A folder that `hornbook corpus train-quality` wrote."""
    rule: AtLeast | ParetoDraw | ScoreOnly = AtLeast()

    def build(self) -> Step:
        load(self.model)  # what is missing is said before the first document
        return self

    def __call__(self, documents: list[Document]) -> Result:
        """Score every document; keep what the rule keeps."""
        result = Result([])
        probabilities = load(self.model)([document.text for document in documents]).tolist()
        for document, probability in zip(documents, probabilities, strict=True):
            scored = replace(document, metadata={**document.metadata, "quality": f"{probability:.4f}"})
            if self.rule.keeps(probability, document.text):
                result.kept.append(scored)
            else:
                result.dropped.append((scored, "low quality"))
        return result
