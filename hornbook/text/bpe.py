"""Train a byte-level BPE tokenizer (Sennrich et al., 2016; on bytes: Radford et al., 2019).

Count the distinct pieces (count.py), merge the most frequent pair of neighbours again and again (merges.py), and keep
the result as a table from bytes to ids (byte_bpe.py). The ids are laid out as GPT-2's: 256 bytes, merges in the order
they were learned, special tokens last.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from hornbook.core.errors import UserError
from hornbook.text.alphabet import BYTES
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.pretokenize import SplitName, split

Progress: TypeAlias = Callable[[str, int], None]  # ("count", characters so far) and then ("merge", merges so far)


@dataclass(frozen=True, kw_only=True)
class BPE:
    """Byte-level byte-pair encoding: text is cut into pieces; the commonest neighbours in a piece become a token."""

    USUAL: ClassVar[bool] = True  # what a tokenizer without `type:` is

    vocab: int = 8192
    """Number of ids: 256 bytes, the merges, and the special tokens."""
    split: SplitName = "han"
    """How text is cut into pieces: gpt2, cl100k, or han, which treats Chinese and Japanese fairly."""
    special: tuple[str, ...] = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    """Tokens that no text can spell; the first ends a document, the others open and close a turn of chat."""

    def __post_init__(self) -> None:
        split(self.split)
        if not self.special or "" in self.special or len(set(self.special)) < len(self.special):
            raise ValueError(
                f"special: {list(self.special)} wants one or more distinct, non-empty tokens, the end first"
            )
        if self.vocab < 256 + len(self.special):
            least = 256 + len(self.special)
            raise ValueError(
                f"vocab: {self.vocab} has no room for 256 bytes and {len(self.special)} special tokens; "
                f"give {least} or more"
            )

    @property
    def merges(self) -> int:
        """How many merges to learn."""
        return self.vocab - 256 - len(self.special)

    def train(self, texts: Iterable[str], *, processes: int | None = None, progress: Progress | None = None) -> ByteBPE:
        """Learn a tokenizer from texts, read once; `processes` count pieces side by side and never change the result.

        A text too small for the vocabulary gives fewer ids than `vocab`: see `shortfall`.
        """
        from hornbook.text import merges  # numpy: only when somebody trains
        from hornbook.text.count import count_pieces

        tell = progress or _silent
        counts = count_pieces(
            texts, self.split, processes=processes or len(os.sched_getaffinity(0)), progress=lambda n: tell("count", n)
        )
        if not counts:
            raise UserError("corpus: no text to train a tokenizer on; check corpus.source and what its filters drop")
        pieces = {piece.encode("utf-8", "surrogatepass"): number for piece, number in counts.items()}
        del counts
        learned = merges.learn(pieces, self.merges, progress=lambda n: tell("merge", n))
        tokens = [bytes([byte]) for byte in BYTES]
        for left, right in learned:
            tokens.append(tokens[left] + tokens[right])
        special = {token: len(tokens) + i for i, token in enumerate(self.special)}
        tokenizer = ByteBPE({token: i for i, token in enumerate(tokens)}, split=self.split, special=special)
        tokenizer.merges = [(tokens[left], tokens[right]) for left, right in learned]
        return tokenizer

    def shortfall(self, tokenizer: ByteBPE) -> str:
        """What to tell the user when the text was too small for the vocabulary; empty when it was not."""
        if tokenizer.vocab >= self.vocab:
            return ""
        return (
            f"vocab: the text holds only {tokenizer.vocab} of the {self.vocab} ids asked for, since no pair is left "
            f"that occurs twice; the tokenizer has vocab {tokenizer.vocab}, give it more text for more"
        )


def _silent(_stage: str, _done: int) -> None:
    """Nobody asked for progress."""
