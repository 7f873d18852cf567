"""The perplexity step: keeps what surprises a reader of the reference neither too little nor too much.

Wenzek et al. 2020, "CCNet: Extracting High Quality Monolingual Datasets from Web Crawl Data": text that is like
Wikipedia has a low perplexity under a model of Wikipedia. What is lower than nearly all of the reference repeats
itself, what is much higher is no prose. Perplexities are written into the document's metadata as `perplexity`.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from hornbook.corpus.document import Document, Result, Step
from hornbook.corpus.perplexity_model import load


@dataclass(frozen=True, kw_only=True)
class Perplexity:
    """Keeps the documents of a band."""

    name: ClassVar[str] = "perplexity"
    model: Path
    """A folder that `hornbook corpus train-perplexity` wrote."""
    low: float = 0.0
    """Percentile of the reference's own perplexities, 0 to 100, below which a text surprises too little."""
    high: float = 100.0
    """And above which too much, once the limit is multiplied by `beyond`."""
    beyond: float = 2.0
    """How many times as surprising a text from elsewhere may be: the web is not the reference."""

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 100:
            raise ValueError(f"low, high: {self.low} and {self.high} are no band of percentiles; try 0 and 100")
        if self.beyond <= 0:
            raise ValueError(f"beyond: {self.beyond} is not above 0; 1 takes the reference's own limit")

    def build(self) -> Step:
        load(self.model)  # what is missing is said before the first document
        return self

    def __call__(self, documents: list[Document]) -> Result:
        """Measure every document; keep those in the band."""
        result, model = Result([]), load(self.model)
        low, high = np.interp([self.low, self.high], np.arange(101), model.percentiles)
        for document in documents:
            value = model(document.text)
            if np.isnan(value):
                result.dropped.append((document, "no words"))
                continue
            measured = replace(document, metadata={**document.metadata, "perplexity": f"{value:.1f}"})
            if value < low:
                result.dropped.append((measured, "surprises too little"))
            elif value > high * self.beyond:
                result.dropped.append((measured, "surprises too much"))
            else:
                result.kept.append(measured)
        return result
