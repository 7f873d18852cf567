"""Passages of one's own documents as texts for an embedder: each alone, or with the passage that follows it.

Where nobody has written pairs, documents have some: two passages of one document are about the same thing (Izacard et
al. 2022, Contriever, section 3.1; Lee et al. 2019 for sentences and what is around them). A passage is a number of
words, so that many fit into a step; the last one of a document is left out where it is shorter than half of that.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from hornbook.core.errors import UserError
from hornbook.data.rows import Row
from hornbook.data.split import Parts

Named = tuple[str, str]
"""The name of a document, and its text."""


@dataclass(frozen=True, kw_only=True)
class Passages:
    """The documents of the run, cut."""

    words: int = 40  # of a passage; where no spaces are written, four characters are one
    partner: Literal["itself", "next"] = "itself"  # itself: SimCSE, told apart by dropout; next: what follows
    most: int = 100_000  # rows for training

    def __post_init__(self) -> None:
        if self.words < 1 or self.most < 2:
            raise ValueError(f"words {self.words} and most {self.most} leave no two passages; give 40 and 100000")

    def parts(self, train_documents: Iterable[Named], held_out_documents: Iterable[Named]) -> Parts:
        """Rows {"texts", "id", "alone"} of the training documents; those held out are pairs of neighbours."""
        train = self._rows(train_documents, self.partner, self.most)
        held_out = self._rows(held_out_documents, "next", self.most)
        if len(train) < 2:
            raise UserError(f"data: the documents have {len(train)} passages of {self.words} words; make them shorter")
        return Parts(train, held_out, [])

    def _rows(self, documents: Iterable[Named], partner: str, most: int) -> list[Row]:
        found: list[Row] = []
        for name, text in documents:
            cut = list(passages(text, self.words))
            pairs = zip(cut, cut, strict=True) if partner == "itself" else zip(cut[::2], cut[1::2], strict=False)
            for number, pair in enumerate(pairs):
                if len(found) == most:
                    return found
                found.append({"texts": list(pair), "id": f"{name}#{number}", "alone": partner == "itself"})
        return found


def passages(text: str, words: int) -> Iterator[str]:
    """Pieces of a text of so many words.

    >>> list(passages("one two three four five six seven", 3))
    ['one two three', 'four five six']
    """
    spans = [match.span() for match in re.finditer(r"[^\s\u2e80-\uffdc]+|[\u2e80-\uffdc]{1,4}", text)]
    for first in range(0, len(spans), words):
        piece = spans[first : first + words]
        if len(piece) > words / 2:
            yield text[piece[0][0] : piece[-1][1]]
