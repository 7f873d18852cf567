"""Decode ids as they come, one at a time, without ever showing half a character.

A Chinese character or an emoji may be spread over several tokens: its first bytes wait until the last has come.
"""

import codecs

from hornbook.text.tokenizer import Tokenizer


class StreamDecoder:
    """Text from a stream of ids: all pushes and the flush, end to end, are `tokenizer.decode` of all the ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """The text that one more id completes; empty while a character is unfinished."""
        return self._decoder.decode(self._tokenizer.decode_bytes([token]))

    def flush(self) -> str:
        """What is left at the end: U+FFFD for a character that was never finished. Ready for another stream."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return rest
