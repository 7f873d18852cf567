"""Two texts in a row, some tokens hidden: which tokens, and does the second text follow the first?

BERT's second task (Devlin et al. 2019, section 3.1): in half of the rows the second text is what comes next, in the
others a piece of another document. A text is any stretch of a document, as in the paper, cut at a random place; its
tenth of shorter rows is left out. Rows are [begin] first [end] second [end], filled up with padding.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Batch, row_indices
from hornbook.data.marks import Marks, marks
from hornbook.data.masked import Ids, Mask, Masker
from hornbook.data.order import row_generator
from hornbook.data.pack import pieces
from hornbook.data.shards import TOKENS, Split
from hornbook.text.tokenizer import Tokenizer

FOLLOWS, ELSEWHERE = 0, 1  # the label, as in BERT's files and in transformers
SHARE_ELSEWHERE = 0.5  # Devlin et al. 2019, section 3.1, task 2
SHORTEST = 2  # tokens of a piece: one for each text


@dataclass(frozen=True, kw_only=True)
class SentencePairs:
    """Rows of two texts, `length` tokens together with the marks around them."""

    length: int
    """Tokens of a row, marks and padding included."""
    mask: Mask = field(default_factory=Mask)

    def __post_init__(self) -> None:
        if self.length < 8:
            raise ValueError(f"length: {self.length} leaves no room for two texts between the marks; try 128")

    def build(self, split: Split, tokenizer: Tokenizer, *, seed: int | None) -> "SentencePairRows":
        """Rows of a split in an order drawn from the seed, or in the order of the text with None."""
        return SentencePairRows(split, self.length, self.mask.build(tokenizer), marks(tokenizer), seed=seed)


class SentencePairRows:
    """The rows of `SentencePairs` over one split; a `Source`."""

    def __init__(self, split: Split, length: int, masker: Masker, marks: Marks, *, seed: int | None) -> None:
        self.split, self.length, self.masker, self.marks, self.seed = split, length, masker, marks, seed
        starts, sizes = pieces(split.table[:, TOKENS], length - 2 - len(marks.before))
        long = sizes > SHORTEST  # a piece begins with the end id of the document before, and may end with its own:
        self.starts, self.sizes = starts[long] + 1, sizes[long] - 1  # both are left out
        self.owners = split.document_of(self.starts)
        if len(np.unique(self.owners)) < 2:
            raise UserError(
                f"{split.folder}: the {split.name} split has {split.documents} documents, pairs of texts want two or "
                "more, since a second text that does not follow comes from another document; give more documents"
            )
        self.rows_per_epoch = len(self.starts)
        self.tokens_per_row = masker.share * float(self.sizes.mean())

    def batch(self, first_row: int, rows: int) -> Batch:
        """Rows first_row to first_row + rows - 1; every time a text comes around its pair is drawn anew."""
        seen, types = np.zeros((2, rows, self.length), dtype=np.int64)
        labels, follows = np.full((rows, self.length), IGNORE, dtype=np.int64), np.empty(rows, dtype=np.int64)
        seen[:] = self.marks.pad
        lengths = np.empty(rows, dtype=np.int64)
        for place, piece in enumerate(self._pieces(first_row, rows).tolist()):
            rng = row_generator(self.seed, first_row + place)
            first, second, follows[place] = self.pair(piece, rng)
            ids = np.concatenate([self.marks.before, first, [self.marks.end], second, [self.marks.end]])
            here = slice(len(ids))
            seen[place, here], labels[place, here] = self.masker(ids, rng)
            types[place, len(ids) - len(second) - 1 : len(ids)] = 1
            lengths[place] = len(ids)
        real = np.arange(self.length) < lengths[:, None]
        return Batch(
            torch.from_numpy(seen),
            torch.from_numpy(labels),
            attention_mask=torch.from_numpy(real),
            token_type_ids=torch.from_numpy(types),
            next_sentence_labels=torch.from_numpy(follows),
        )

    def pair(self, piece: int, rng: np.random.Generator) -> tuple[Ids, Ids, int]:
        """A piece cut in two, or its first part and as long a stretch of another document."""
        start, size = int(self.starts[piece]), int(self.sizes[piece])
        place = start + int(rng.integers(1, size))
        first, end = self._ids(start, place), start + size
        if rng.random() >= SHARE_ELSEWHERE:
            return first, self._ids(place, end), FOLLOWS
        while self.owners[other := int(rng.integers(len(self.starts)))] == self.owners[piece]:
            pass
        begin = int(self.starts[other])
        return first, self._ids(begin, begin + min(end - place, int(self.sizes[other]))), ELSEWHERE

    def documents(self, first_row: int, rows: int) -> list[list[str]]:
        """The name of each row's document; the one a strange second text is from is not named."""
        owners = self.owners[self._pieces(first_row, rows)].tolist()
        return [[self.split.document_name(owner)] for owner in owners]

    def _ids(self, start: int, stop: int) -> Ids:
        ids: Ids = self.split.ids[start:stop].astype(np.int64)
        return ids

    def _pieces(self, first_row: int, rows: int) -> NDArray[np.int64]:
        return row_indices(first_row, rows, self.rows_per_epoch, self.seed)
