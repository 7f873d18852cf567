"""Training a judge of quality from files of good and of bad text.

Brown et al. 2020 (GPT-3), appendix A: Wikipedia, books and WebText are good, raw Common Crawl is bad; Penedo et al.
2024 (FineWeb-Edu) let a language model mark what is good. Texts are cut into pieces, so that a judge does not learn how
long a good text is. A tenth of them is for calibration, a tenth for measuring, by hash: nothing depends on a seed.
"""

import heapq
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.corpus.clean import text_hash
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.quality_features import BUCKETS, matrix
from hornbook.corpus.quality_fit import Flags, auc, calibrate, fit, reliability, sigmoid
from hornbook.corpus.quality_model import Judge, Measured
from hornbook.corpus.read import documents
from hornbook.corpus.sources import files, ignore
from hornbook.corpus.words import unspaced

PIECE = 2_000  # characters, about a page,
PIECE_UNSPACED = 500  # and as many words in a script without spaces
MOST_PIECES = 20_000  # of good and of bad; more teach little: 40,000 take half a GB and some minutes
LEAST_PIECES = 40  # of each: 4 to measure by
PARTS = 10  # of which the last two are held out
FEW = 100  # documents; of fewer the pieces are held out one by one


def train(good: Sequence[str], bad: Sequence[str], column: str = "text") -> Judge:
    """A judge from files or folders of good and bad texts; raises UserError where there are too few."""
    texts, kinds, parts = [], [], []
    for sources, kind in ((good, True), (bad, False)):
        found = sample(sources, column)
        if len(found) < LEAST_PIECES:
            size = f"{len(found)} pieces of a page"
            raise UserError(f"{', '.join(sources)}: {size} are too few to learn from; give {LEAST_PIECES} or more")
        texts += [text for _, text in found]
        parts += [part for part, _ in found]
        kinds += [kind] * len(found)
    return _train(texts, np.array(kinds), np.array(parts))


def _train(texts: list[str], good: Flags, parts: NDArray[np.int64]) -> Judge:
    """Fit on eight parts, calibrate on the ninth, measure on the last."""

    def of(part: Flags) -> list[str]:
        return [texts[place] for place in np.flatnonzero(part)]

    learned, calibrated, measured = parts < PARTS - 2, parts == PARTS - 2, parts == PARTS - 1
    for part in (learned, calibrated, measured):
        if len(np.unique(good[part])) < 2:
            raise UserError("good and bad texts: too few to hold some out of both; give more documents")
    weights = fit(matrix(of(learned)), good[learned])
    plain, bias = weights[:BUCKETS].astype(np.float32), float(weights[-1])
    held = matrix(of(calibrated)).times(plain.astype(np.float64)) + bias
    scale, shift = calibrate(held, good[calibrated])
    logits = matrix(of(measured)).times(plain.astype(np.float64)) + bias
    likely = sigmoid(scale * logits + shift)
    table = reliability(likely, good[measured])
    about = Measured(int(good.sum()), int((~good).sum()), auc(logits, good[measured]), table)
    return Judge(plain, bias, scale, shift, about)


def sample(sources: Sequence[str], column: str) -> list[tuple[int, str]]:
    """Pieces of some sources with the part they are in, at most MOST_PIECES, chosen by hash."""
    seen: set[int] = set()
    ranked = heapq.nsmallest(MOST_PIECES, _pieces(sources, column, seen))
    few = len(seen) < FEW
    return [((rank if few else document) % PARTS, piece) for rank, document, piece in ranked]


def _pieces(sources: Sequence[str], column: str, seen: set[int]) -> Iterator[tuple[int, int, str]]:
    """(hash of the piece, hash of its document, piece) of every document; `seen` learns of some documents."""
    for file in files(sources, ignore):
        for document in documents(file, column, Ledger(), strict=True):
            number = text_hash(document.text)
            if len(seen) < FEW:
                seen.add(number)
            for piece in pieces(document.text):
                yield text_hash(piece), number, piece


def pieces(text: str) -> Iterator[str]:
    """A text in pieces of about a page, cut at white space where there is some.

    >>> [len(piece) for piece in pieces("word " * 1000)]
    [2000, 2000, 999]
    """
    text, start = text.strip(), 0
    size = PIECE_UNSPACED if unspaced(text[:PIECE]) else PIECE
    while start < len(text):
        end = start + size
        if end < len(text):
            end = max(text.rfind("\n", start + size // 2, end), text.rfind(" ", start + size // 2, end)) + 1 or end
        yield text[start:end]
        start = end
