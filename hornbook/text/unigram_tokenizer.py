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
from hornbook.text.viterbi import Trie, Way

UNKNOWN_PENALTY = 10.0  # an unknown character is this much worse than the worst piece, as in SentencePiece
USER_DEFINED_PENALTY = 0.1  # next to nothing: always better than any other way
ROUNDING = 2.0**-22  # of a 32-bit sum: what one addition may lose, doubled to be safe


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
        scores: list[list[float]] = []  # of all words so far
        total = 0.0  # about their sum
        exact, added = array("f", [0.0]), 0  # their sum in 32 bits, and how many words are in it
        for word in self.words(normal):
            cut = self._remembered.get(word) or self._cut(word)
            if total <= cut.certain:
                for score in chain.from_iterable(scores[added:]):
                    exact[0] += score
                added = len(scores)
                cut = self._described(self._trie.best(word, exact[0]))
            ids += cut.ids
            scores.append(cut.scores)
            total += cut.total
        return self.without_runs(ids)

    def _cut(self, word: str) -> Cut:
        cut = self._described(self._trie.best(word))
        self.remember(word, cut)
        return cut

    def _described(self, way: Way) -> Cut:
        additions = 2 * len(way.pieces) + 2
        certain = -way.total - way.margin / (additions * ROUNDING)
        return Cut(self.spelled(way.pieces), [self._counted[i] for i, _ in way.pieces], way.total, certain)

    @cached_property
    def _counted(self) -> list[float]:
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
        return Trie({p: (i, self._counted[i]) for p, i in used.items()}, (self.unknown, self._counted[self.unknown]))
