"""What SentencePiece does to a text before it looks for pieces: normalise, and make spaces visible (Kudo and
Richardson, 2018, section 3.3).

A charsmap replaces characters (NFKC and the like); spaces may be squeezed, one may be put in front, so that a word is
the same at the start of a text as inside it; and `▁` (U+2581) may stand for a space, so that pieces show where words
begin. With none of that, which is what hornbook trains, the pieces are the text itself and every text comes back.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from hornbook.text.charsmap import Charsmap

MARK = "▁"  # U+2581, stands for a space


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The normaliser of a file; as they stand here, SentencePiece's own defaults but for the charsmap."""

    charsmap: bytes = b""
    """Replacements of characters, precompiled (charsmap.py); empty: none."""
    name: str = "identity"
    """What the file calls its charsmap: identity, nfkc, nmt_nfkc ..."""
    dummy_prefix: bool = True
    """Whether a space is put before every text."""
    squeeze: bool = True
    """Whether spaces at both ends are dropped and runs of spaces become one."""
    marked: bool = True
    """Whether `▁` stands for a space."""
    literal: frozenset[str] = frozenset()
    """Pieces of the user's own that no rule touches where they stand in a text."""

    @property
    def space(self) -> str:
        """How pieces spell a space."""
        return MARK if self.marked else " "

    @property
    def never(self) -> str:
        """A character that no piece may hold, so that it comes back as itself and not as a space."""
        return "" if self.marked else MARK

    @property
    def word(self) -> str:
        """The pattern of a word: spaces, then other characters, then line ends."""
        return rf"{self.space}*[^{self.space}\n]*\n*"

    @property
    def lossless(self) -> bool:
        """Whether decoding gives every text back, where bytes stand for what no piece spells."""
        return not (self.charsmap or self.squeeze or self.marked)

    def keeping(self, literal: frozenset[str]) -> "Rules":
        """The same rules, with pieces that none of them touches."""
        return replace(self, literal=literal)

    def normalize(self, text: str) -> str:
        """The text that is cut into pieces.

        >>> Rules().normalize(" two  words ")
        '▁two▁words'
        """
        if not text:
            return ""
        parts = self._kept.split(text) if self._kept else [text]
        parts[::2] = [self._charsmap.apply(part) if self._charsmap else part for part in parts[::2]]
        if self.squeeze:
            parts[::2] = [re.sub("  +", " ", part) for part in parts[::2]]
            parts[0] = parts[0].lstrip(" ")
            for i in range(1, len(parts)):
                if parts[i - 1].endswith(" "):
                    parts[i] = parts[i].lstrip(" ")
        text = " " * self.dummy_prefix + "".join(parts)
        text = text.replace(" ", MARK) if self.marked else text
        return text.rstrip(self.space) if self.squeeze else text

    def split(self, word: str) -> list[str]:
        """The characters of a word, and the pieces of the user's own in it whole.

        >>> Rules(literal=frozenset({"<br>"})).split("a<br>b")
        ['a', '<br>', 'b']
        """
        if self._kept is None:
            return list(word)
        parts = self._kept.split(word)
        return [each for i, part in enumerate(parts) for each in ([part] if i % 2 else part)]

    @cached_property
    def _charsmap(self) -> Charsmap | None:
        return Charsmap(self.charsmap) if self.charsmap else None

    def decisive(self) -> list[bytes]:
        """All that decides ids, for a fingerprint."""
        flags = f"{self.dummy_prefix} {self.squeeze} {self.marked}".encode()
        return [self.charsmap, flags, *(piece.encode("utf-8", "surrogatepass") for piece in sorted(self.literal))]

    @cached_property
    def _kept(self) -> re.Pattern[str] | None:
        longest_first = sorted(self.literal, key=len, reverse=True)
        return re.compile(f"({'|'.join(map(re.escape, longest_first))})") if self.literal else None
