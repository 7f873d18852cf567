"""A precompiled charsmap: SentencePiece's rules for normalising text, as they lie in a `.model` file.

The rules are keys and what each becomes (`ﬁ` -> `fi`, a + ́ -> `á`); T5's has 224,711. The keys stand in a double-array
trie (Aoe, 1989, in the layout of Yata's darts-clone): 32 bits a node, a child found by one XOR with the next byte and
known by its label; a leaf says where its replacement begins in the text behind the trie. The longest key wins; what no
key matches stays. The steps that a text takes are remembered by character, so the trie is walked once for each.
"""

import itertools
import struct
from functools import cached_property
from typing import TypeAlias

Step: TypeAlias = "tuple[int, str | None] | None"  # the node a character leads to, and the replacement of a key there
ASCII = range(1, 128)
LAST = "\0"  # follows the last character: no key holds it, since it ends texts in the trie


class Charsmap:
    """The rules of one file, ready to be applied."""

    def __init__(self, blob: bytes) -> None:
        """ValueError where the bytes are no charsmap."""
        size = struct.unpack_from("<I", blob)[0] if len(blob) >= 4 else 0
        if not size or size % 4 or 4 + size > len(blob):
            raise ValueError(f"its charsmap of {len(blob)} bytes is cut short")
        self.blob = blob
        self._units = struct.unpack_from(f"<{size // 4}I", blob, 4)
        self._texts = blob[4 + size :]
        self._steps: dict[tuple[int, str], Step] = {}
        self._pairs: dict[tuple[str, str], str] = {}  # what becomes of a character before another
        self._root = _offset(self._units[0])

    def apply(self, text: str) -> str:
        """A text after the rules."""
        if text.isascii() and self._ascii is not None:
            return text.translate(self._ascii)
        found: list[str | None] = list(map(self._pairs.get, zip(text, text[1:] + LAST, strict=True)))
        place = 0
        while place < len(text):
            if (known := found[place]) is None:
                known, size = self.match(text, place)
                self._remember(text[place], text[place + 1 : place + 2] or LAST)
                found[place : place + size] = [known, *[""] * (size - 1)]
                place += size - 1
            place += 1
        return "".join(filter(None, found))

    def _remember(self, character: str, following: str) -> None:
        """Where these two alone decide what becomes of the first, it need not be looked up again."""
        step = self._step(self._root, character)
        if step is None or self._step(step[0], following) is None:
            self._pairs[character, following] = character if step is None or step[1] is None else step[1]

    def match(self, text: str, place: int) -> tuple[str, int]:
        """What stands for the longest key at a place of a text, and its characters; a character without a key stays."""
        found, size, node = text[place], 1, self._root
        for end in range(place, len(text)):
            step = self._step(node, text[end])
            if step is None:
                break
            node, replacement = step
            if replacement is not None:
                found, size = replacement, end + 1 - place
        return found, size

    def _step(self, node: int, character: str) -> Step:
        key = (node, character)
        if key not in self._steps:
            self._steps[key] = self._walk(node, character)
        return self._steps[key]

    def _walk(self, node: int, character: str) -> Step:
        """Follow the bytes of a character."""
        unit = 0
        for byte in character.encode("utf-8", "surrogatepass"):
            node ^= byte
            if node >= len(self._units) or self._units[node] & 0x800000FF != byte:
                return None
            unit = self._units[node]
            node ^= _offset(unit)
        if not unit >> 8 & 1:  # no key ends here
            return node, None
        begin = self._units[node] & 0x7FFFFFFF
        return node, self._texts[begin : self._texts.find(b"\0", begin)].decode("utf-8", "replace")

    @cached_property
    def _ascii(self) -> dict[int, str] | None:
        """All that can happen to ASCII text, character by character; None where a rule joins two of them."""
        steps = {character: self._walk(self._root, chr(character)) for character in ASCII}
        nodes = [step[0] for step in steps.values() if step]
        if any(self._walk(node, chr(character)) for node, character in itertools.product(nodes, ASCII)):
            return None
        return {character: step[1] for character, step in steps.items() if step and step[1] is not None}


def _offset(unit: int) -> int:
    """How far a node's children are from it (darts-clone: 21 bits, times 256 where bit 9 is set)."""
    return unit >> 10 << ((unit & 512) >> 6)
