"""The unigram model's tokenizer: of all ways to cut a text into pieces, the one whose scores add up to most.

Kudo, 2018, "Subword Regularization". A score is the logarithm of a piece's probability, and a text's probability is the
product of its pieces', so the best cut is a shortest path, found from left to right (Viterbi, 1967): the best way to
reach each place, remembered with the piece that got there. `sample` and `nbest` give other likely cuts, so that a model
sees one word cut in many ways.

Words are cut once and remembered. SentencePiece cuts the whole text at once in numbers of 32 bits, where `a|aa` and
`aa|a` tie but for rounding, which depends on all that stood before: a word with such a near tie is cut again from the
sum that the library would have there, so that ids are equal to its in every case.
"""

import random
from array import array
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from hornbook.text.lattice import Lattice
from hornbook.text.plain import whole
from hornbook.text.sentencepiece import Kind, SentencePiece
from hornbook.text.viterbi import NEVER, RENEWED, Trie, Way

UNKNOWN_PENALTY = 10.0  # an unknown character is this much worse than the worst piece, as in SentencePiece
USER_DEFINED_PENALTY = 0.1  # next to nothing: always better than any other way
ROUNDING = 2.0**-22  # of a 32-bit sum: what one addition may lose, doubled to be safe
GRAIN = 128  # whole multiples of 1/GRAIN are added in 24 bits without rounding: 100,000 * GRAIN < 2 ** 24


class Cut(NamedTuple):
    """A word's ids, and what is needed to go on from it."""

    ids: list[int]  # unknown characters as their bytes, where there are such pieces
    scores: list[float]  # of its pieces, one each
    total: float  # of the scores
    certain: float  # down to which sum of what stands before it rounding cannot change the ids


class UnigramTokenizer(SentencePiece):
    """A tokenizer that finds the likeliest pieces."""

    algorithm = "Unigram"

    def sample(self, text: str, *, alpha: float, generator: random.Random) -> list[int]:
        """The ids of a text cut at random, each way as often as its probability to the power `alpha` says.

        Kudo, 2018, section 3.2, over all ways there are; 0: every way is as likely as another, 1: as the model says.
        """
        lattice = self.lattice(text)
        return self.without_runs(self.spelled(lattice.sample(alpha, generator)))

    def nbest(self, text: str, best: int) -> list[list[int]]:
        """The ids of the `best` likeliest ways to cut a text, the likeliest first; fewer where there are fewer."""
        if best < 1:
            raise ValueError(f"best: {best} ways to cut a text are none; give 1 or more")
        return [self.without_runs(self.spelled(path)) for path in self.lattice(text).nbest(best)]

    def lattice(self, text: str) -> Lattice:
        """All ways to cut a text."""
        normal = self.rules.normalize(whole(text))
        return Lattice(normal, [list(self._trie.edges(normal, place)) for place in range(len(normal))])

    def _ids(self, normal: str) -> list[int]:
        ids: list[int] = []
        scores: list[list[float]] = []  # of the words since `exact`
        exact, total = array("f", [0.0]), 0.0  # a sum in 32 bits; and about the sum by now
        for word in self.words(normal):
            cut = self._remembered.get(word) or self._cut(word)
            if total > cut.certain:
                scores.append(cut.scores)
                total += cut.total
            else:
                for score in chain.from_iterable(scores):
                    exact[0] += score
                scores.clear()
                way = self._trie.best(word, exact[0])
                exact[0] = total = way.after
                cut = self._described(way, 0.0)
            ids += cut.ids
        return self.without_runs(ids)

    def _cut(self, word: str) -> Cut:
        way = self._trie.best(word)
        cut = self._described(way, way.after)
        self.remember(word, cut)
        return cut

    def _described(self, way: Way, total: float) -> Cut:
        """A word by itself: down to which sum before it neither rounding nor beginning again can change its pieces."""
        additions = 2 * sum(len(piece) for _, piece in way.pieces) + 2
        certain = max(RENEWED - 3 * total + self.counted[self.unknown], -total - way.margin / (additions * ROUNDING))
        ids, scores = self.spelled(way.pieces), [self.counted[i] for i, _ in way.pieces]
        return Cut(ids, scores, total, NEVER if self._even else certain)

    @cached_property
    def _even(self) -> bool:
        """Whether sums of 32 bits are exact, as those of the models trained here are."""
        return all(score * GRAIN == int(score * GRAIN) for score in self.counted)

    @cached_property
    def counted(self) -> list[float]:
        """The score that each id counts with."""
        normal = [score for score, kind in zip(self.scores, self.kinds, strict=True) if kind == Kind.NORMAL]
        scores = list(self.scores)
        for i, kind in enumerate(self.kinds):
            if kind == Kind.UNKNOWN:
                scores[i] = array("f", [min(normal, default=0.0) - UNKNOWN_PENALTY])[0]
            elif kind == Kind.USER_DEFINED:
                scores[i] = len(self.pieces[i].encode()) * max([*normal, 0.0]) - USER_DEFINED_PENALTY
        return scores

    @cached_property
    def _trie(self) -> Trie:
        used = {piece: i for piece, i in self.spellings.items() if self.kinds[i] != Kind.UNUSED}
        return Trie({p: (i, self.counted[i]) for p, i in used.items()}, (self.unknown, self.counted[self.unknown]))
