"""What ids are in a text: the beginning of a word or more of it, the end of a sentence. Asked of any tokenizer alike.

Each id is decoded behind a letter: " the" begins a word there, "the" and "##the" go on with one, "(" does neither.
Chinese, Japanese and Thai write no spaces, so each of their tokens is a word.
"""

import numpy as np
from numpy.typing import NDArray

from hornbook.text.tokenizer import Tokenizer

UNSPACED = ((0x0E00, 0x0EFF), (0x2E80, 0xA4CF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
STOPS = (".", "。")
REPLACED = "\ufffd"  # a piece of a character that several tokens share


class Words:
    """Cuts rows of ids into words."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        texts = behind_a_letter(tokenizer)
        self.opens = np.array([bool(text) and not _inside(text[0]) for text in texts])
        """(vocab,) begins something new whatever stands before it."""
        self.closes = np.array([bool(text) and not _inside(text[-1]) for text in texts])
        """(vocab,) after it something new begins."""

    def number(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The word each id belongs to, counted from 0."""
        new = self.opens[ids[1:]] | self.closes[ids[:-1]]
        return np.concatenate([[0], np.cumsum(new)])


def stops(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """(vocab,) whether an id ends with a full stop."""
    return np.array([text.rstrip().endswith(STOPS) for text in behind_a_letter(tokenizer)])


def behind_a_letter(tokenizer: Tokenizer) -> list[str]:
    """The text of every id where a word has begun."""
    letter = tokenizer.encode("a")
    before = len(tokenizer.decode_bytes(letter))
    return [tokenizer.decode_bytes([*letter, id_])[before:].decode(errors="replace") for id_ in range(tokenizer.vocab)]


def _inside(character: str) -> bool:
    """Whether a word may go on with this character."""
    spaced = not any(first <= ord(character) <= last for first, last in UNSPACED)
    return character == REPLACED or (character.isalnum() and spaced)
