"""Decode ids as they come, one at a time, without ever showing half a character.

A Chinese character or an emoji may be spread over several tokens: its first bytes wait until the last has come. And a
token may need the one before it: WordPiece and SentencePiece drop the space in front of a text, not of every token.
"""

import codecs
from collections.abc import Iterator, Sequence

from hornbook.text.tokenizer import Tokenizer


def pieces(tokenizer: Tokenizer, ids: Sequence[int], *, after: Sequence[int] = ()) -> Iterator[bytes]:
    """The bytes that each id adds to those before it, of which `after` are the last that are known already."""
    before = list(after[-1:])
    for i in ids:
        known = tokenizer.decode_bytes(before)
        yield tokenizer.decode_bytes([*before, i])[len(known) :]
        before = [i]


class StreamDecoder:
    """Text from a stream of ids: all pushes and the flush, end to end, are `tokenizer.decode` of all the ids."""

    def __init__(self, tokenizer: Tokenizer, *, after: Sequence[int] = ()) -> None:
        """With `after`, the stream goes on from these ids, a prompt: its first word keeps the space in front."""
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        special = set(tokenizer.special.values())
        self._before = [i for i in after[-1:] if i not in special]  # after a special token a text begins

    def push(self, token: int) -> str:
        """The text that one more id completes; empty while a character is unfinished."""
        return self.feed([token])

    def feed(self, tokens: Sequence[int]) -> str:
        """The text that some more ids complete."""
        data = b"".join(pieces(self._tokenizer, tokens, after=self._before))
        self._before = [*self._before, *tokens][-1:]
        return self._decoder.decode(data)

    def flush(self) -> str:
        """What is left at the end: U+FFFD for a character that was never finished. Ready for another stream."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        self._before = []
        return rest
