"""Learn a unigram model: how likely each piece is, by expectation and maximisation, and which pieces to do without.

Kudo, 2018, section 3.2, with SentencePiece's choices: begin with far more pieces than wanted; twice estimate how often
each is used in the words as they may be cut, and set its probability by that; then throw a quarter away, those whose
loss makes the text least unlikely when another way takes their place; and again, until there is a tenth more than
wanted, of which the likeliest stay. Single characters always stay, so that every word can be cut.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hornbook.text.graph import Floats, Graph, Ints

ROUNDS = 2  # of estimation between two prunings, as in SentencePiece
KEPT = 0.75  # of the pieces, at one pruning
SPARE = 1.1  # times the pieces wanted: what pruning leaves for the last choice
LEAST = 0.5  # expected uses; a piece below that is dropped at once


@dataclass(frozen=True)
class Model:
    """Pieces by number, with all that learning knows about them."""

    pieces: list[str]
    single: NDArray[np.bool_]  # characters, which stay
    scores: Floats  # logarithms of probabilities
    words: Graph  # over the text
    counts: Floats  # of the words
    others: Graph  # each piece that is no character as a word, without the edge that is the piece itself
    owners: Ints  # of its words: which piece they are


def learn(model: Model, wanted: int, progress: Callable[[int], None]) -> list[tuple[str, float]]:
    """The pieces and their scores, best first: all characters and the likeliest others, `wanted` in all."""
    enough = int(SPARE * wanted)
    while True:
        for _ in range(ROUNDS):
            model = estimate(model)
        progress(len(model.pieces))
        if len(model.pieces) <= enough:
            break
        model = prune(model, enough)
    order = np.lexsort((np.arange(len(model.pieces)), -model.scores, ~model.single))[:wanted]  # characters first
    order = order[np.argsort(-model.scores[order], kind="stable")]
    return [(model.pieces[i], float(model.scores[i])) for i in order.tolist()]


def estimate(model: Model) -> Model:
    """One round: count what is expected, drop what is hardly ever used, and make the counts probabilities.

    The logarithm of a count is its digamma, which takes more from small counts: a prior for few pieces (Liang and
    Klein, 2007, "Structured Bayesian Nonparametric Models with Variational Inference").
    """
    expected, _ = model.words.expected(model.scores, model.counts)
    kept = (expected >= LEAST) | model.single
    expected = np.maximum(expected, LEAST)
    scores = digamma(expected) - digamma(np.array([expected[kept].sum()]))
    return _keeping(replace(model, scores=scores), kept)


def prune(model: Model, enough: int) -> Model:
    """Without the pieces that are missed least: a quarter of them, but no fewer than `enough` stay."""
    size = len(model.pieces)
    ways, instead = model.words.best(model.scores), model.others.best(model.scores)
    used = np.bincount(ways.pieces, model.counts[ways.words], size)
    owner = model.owners[instead.words]  # of each piece on a way that another would be cut into
    total = used.sum()
    parts = np.bincount(owner, minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):
        instead_score = np.bincount(owner, np.log(used[instead.pieces] + used[owner]), size)
        instead_score -= parts * np.log(total + used * (parts - 1))
        loss = used / model.counts.sum() * (np.log(used) - np.log(total) - instead_score)
    better = np.full(size, -np.inf)
    better[model.owners] = instead.totals
    loss[(used == 0) | (better > model.scores)] = -np.inf  # is never chosen: nothing is lost
    loss[model.single | (parts == 0) & (used > 0)] = np.inf
    order = np.argsort(-loss, kind="stable")[: max(enough, int(KEPT * size))]
    kept = np.zeros(size, np.bool_)
    kept[order] = True
    return _keeping(model, kept & (loss > -np.inf))


def _keeping(model: Model, kept: NDArray[np.bool_]) -> Model:
    """The model without some pieces."""
    names = np.where(kept, np.cumsum(kept) - 1, -1)
    gone = ~kept[model.owners]
    return Model(
        pieces=[piece for piece, stays in zip(model.pieces, kept.tolist(), strict=True) if stays],
        single=model.single[kept],
        scores=model.scores[kept],
        words=model.words.keeping(names),
        counts=model.counts,
        others=model.others.without(gone).keeping(names),
        owners=names[model.owners[~gone]],
    )


def digamma(x: Floats) -> Floats:
    """The logarithm's derivative of the gamma function, by recurrence up to 6 and its asymptotic series from there.

    >>> digamma(np.array([1.0])).round(6)  # minus Euler's constant
    array([-0.577216])
    """
    x, result = x.copy(), np.zeros_like(x)
    for _ in range(6):
        small = x < 6
        result[small] -= 1 / x[small]
        x[small] += 1
    inverse = 1 / (x * x)
    series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse / 240)))
    result += np.log(x) - 0.5 / x - series
    return result
