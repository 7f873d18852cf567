"""Training the n-gram model: counts of a reference corpus, smoothed.

    p(w | h) = max(c(hw) - D, 0) / c(h) + back(h) p(w | shorter h)      D = D1, D2 or D3+ by the count
    back(h)  = 1 - the sum of the first term over all w that are kept

The counts of shorter n-grams are in how many different contexts they stand (Kneser and Ney 1995), but of those that
begin a text, before which nothing stands, how often. Of the longest, those seen once are not kept (`--prune 0 0 1` of
KenLM): half the size, and what they had goes to the shorter ones, so that probabilities still add up to 1.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.corpus.clean import text_hash
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.perplexity_model import ORDER, START, UNKNOWN, NGrams, Table, grams, grams_before, read
from hornbook.corpus.quality_train import pieces
from hornbook.corpus.read import documents
from hornbook.corpus.scans import Hashes
from hornbook.corpus.sources import files, ignore

MOST_PIECES = 20_000  # 40 MB of a reference, 7 million words; they take half a GB
LEAST_PIECES = 20
HELD_OUT = 10  # every tenth piece, by hash, says what the reference's perplexity is
TWICE = 2  # a word that is in the reference less often is unknown


def train(sources: Sequence[str], column: str = "text") -> NGrams:
    """A model of files or folders of text; raises UserError where there is too little."""
    chosen = heapq.nsmallest(MOST_PIECES, ((text_hash(piece), piece) for piece in _pieces(sources, column)))
    if len(chosen) < LEAST_PIECES:
        raise UserError(
            f"{', '.join(sources)}: {len(chosen)} pages are too few to learn from; give {LEAST_PIECES} or more"
        )
    learned = [piece for rank, piece in chosen if rank % HELD_OUT]
    held = [piece for rank, piece in chosen if not rank % HELD_OUT] or learned
    model = fit(learned)
    perplexities = [value for value in map(model, held) if np.isfinite(value)]
    percentiles = np.percentile(perplexities, np.arange(101))
    return NGrams(model.tables, model.letters, tuple(float(value) for value in percentiles))


def _pieces(sources: Sequence[str], column: str) -> Iterator[str]:
    for file in files(sources, ignore):
        for document in documents(file, column, Ledger(), strict=True):
            yield from pieces(document.text)


def fit(texts: Sequence[str], orders: int = ORDER, *, prune: bool = True) -> NGrams:
    """The smoothed counts of some texts."""
    assert orders > 1
    words = [found for text in texts if len(found := read(text)[0])]
    known, counts = np.unique(np.concatenate(words), return_counts=True)
    known = known[counts >= TWICE]
    words = [np.where(np.isin(each, known), each, UNKNOWN) for each in words]
    tables: list[Table] = []
    for order in range(1, orders + 1):
        tables.append(_smoothed(_counted(words, order, orders), tables, prune=prune and order == orders > 1))
    return NGrams(tuple(tables), len(set().union(*texts)) if texts else 0, ())


class Counted(NamedTuple):
    """The n-grams of one length, in the order of their hashes."""

    keys: Hashes
    contexts: Hashes
    """Each without its last word,"""
    shorter: Hashes
    """and without its first."""
    counts: NDArray[np.int64]
    empty: Hashes
    """What stands before the first word of a text: a context, but nothing that is ever said."""


def _counted(words: Sequence[Hashes], order: int, orders: int) -> Counted:
    """How often each n-gram occurs; of shorter ones, after how many different words."""
    nothing = np.full(1, START)
    extra = [np.full(1, UNKNOWN)] if order == 1 else []  # it has a probability even if nothing was unknown
    listed = [*words, *extra]
    whole = [grams(each, order + 1) for each in listed]
    keys, first, counts = np.unique(_joined(each[order - 1] for each in whole), return_index=True, return_counts=True)
    contexts = _joined(grams_before(each, order - 1) if order > 1 else np.zeros_like(each) for each in listed)[first]
    shorter = _joined(each[max(order - 2, 0)] for each in whole)[first]
    if order < orders:
        begins = _joined(np.arange(len(each)) < order - 1 for each in listed)[first]
        _, at = np.unique(_joined(each[order] for each in whole[: len(words)]), return_index=True)
        last, after = np.unique(_joined(each[order - 1] for each in whole[: len(words)])[at], return_counts=True)
        different = np.zeros(len(keys), np.int64)
        different[np.searchsorted(keys, last)] = after
        counts = np.where(begins, counts, different)
    return Counted(keys, contexts, shorter, counts, grams(nothing, order)[-1])


def _joined(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(parts))


def _smoothed(counted: Counted, shorter: list[Table], *, prune: bool) -> Table:
    """Probabilities of the n-grams; the weights of what is shorter go into the table before."""
    contexts, which = np.unique(counted.contexts, return_inverse=True)
    kept = counted.counts >= (2 if prune else 0)
    taken = np.array([0.0, *discounts(counted.counts)])[np.minimum(counted.counts, 3)]
    totals = np.bincount(which, counted.counts)
    shares = np.where(kept, counted.counts - taken, 0) / totals[which]
    backs = np.maximum(1 - np.bincount(which, shares), 1e-12)
    if shorter:
        places, _ = shorter[-1].find(counted.shorter)
        rest = np.exp(shorter[-1].logs[places].astype(np.float64))
        before, found = shorter[-1].find(contexts)
        assert found.all()
        shorter[-1].backs[before] = np.log(backs)
    else:
        rest = np.full(len(counted.keys), 1 / len(counted.keys))
    keys = np.append(counted.keys[kept], counted.empty)
    logs = np.append(np.log(shares + backs[which] * rest)[kept], -np.inf)
    order = np.argsort(keys)
    return Table(keys[order], logs[order].astype(np.float32), np.zeros(len(keys), np.float32))


def discounts(counts: NDArray[np.int64]) -> tuple[float, float, float]:
    """What is taken from counts of one, two, and three or more (Chen and Goodman, equation 26).

    >>> [round(each, 3) for each in discounts(np.repeat([1, 2, 3, 4], [8, 4, 2, 1]))]
    [0.5, 1.25, 2.0]
    """
    ones, twos, threes, fours = (int((counts == number).sum()) for number in (1, 2, 3, 4))
    if not (ones and twos and threes and fours):
        return 0.5, 1.0, 1.5  # too few n-grams to say; KenLM's fallback
    share = ones / (ones + 2 * twos)
    found = 1 - 2 * share * twos / ones, 2 - 3 * share * threes / twos, 3 - 4 * share * fours / threes
    return found if all(0 < each < number for number, each in enumerate(found, 1)) else (0.5, 1.0, 1.5)
