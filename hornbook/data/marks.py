"""Which ids of a vocabulary are no text: where it begins and ends, what hides a token, what fills a row.

Found by the spellings of the public vocabularies (BERT, RoBERTa and BART, T5), so that a recipe need not repeat them.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.text.tokenizer import Tokenizer

BEGIN = ("[CLS]", "<s>", "<cls>")
END = ("[SEP]", "</s>", "<eos>")
PAD = ("[PAD]", "<pad>")
MASK = ("[MASK]", "<mask>")
SENTINEL = re.compile(r"<extra_id_(\d+)>")  # T5's


@dataclass(frozen=True)
class Marks:
    """Ids with a task of their own; None, or none of them, where the vocabulary lacks them."""

    end: int
    """After every text: the separator, or what ends a document."""
    pad: int
    """Fills rows up and begins the answer of a decoder, as in T5 and Marian; `end` where there is no other."""
    begin: int | None
    """Before a text that an encoder reads."""
    mask: int | None
    """Stands where something is hidden."""
    sentinels: tuple[int, ...]
    """Stand, in order, where spans were taken out (T5)."""
    is_text: NDArray[np.bool_]
    """(vocab,) True for every other id."""

    @property
    def before(self) -> NDArray[np.int64]:
        """What stands before a text: the begin mark or nothing."""
        return np.array([] if self.begin is None else [self.begin], dtype=np.int64)

    def require_mask(self) -> int:
        """The mask, or UserError."""
        if self.mask is None:
            raise UserError("tokenizer.special: has no token that hides another; add <mask> (or [MASK]) to the list")
        return self.mask

    def require_sentinels(self, count: int) -> NDArray[np.int64]:
        """The first `count` sentinels, or UserError."""
        if len(self.sentinels) < count:
            raise UserError(
                f"tokenizer.special: rows of this length want {count} sentinels, there are {len(self.sentinels)}; "
                f"add <extra_id_0> to <extra_id_{count - 1}> to the list, or make data.length shorter"
            )
        return np.array(self.sentinels[:count])


def marks(tokenizer: Tokenizer) -> Marks:
    """The marks of a tokenizer."""
    special = tokenizer.special

    def find(spellings: tuple[str, ...]) -> int | None:
        return next((special[spelling] for spelling in spellings if spelling in special), None)

    numbered = {int(match[1]): id_ for token, id_ in special.items() if (match := SENTINEL.fullmatch(token))}
    end, pad = find(END), find(PAD)
    end = tokenizer.end if end is None else end
    return Marks(
        end=end,
        pad=end if pad is None else pad,
        begin=find(BEGIN),
        mask=find(MASK),
        sentinels=tuple(numbered[number] for number in sorted(numbered)),
        is_text=~np.isin(np.arange(tokenizer.vocab), list(special.values())),
    )
