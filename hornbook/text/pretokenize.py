"""Cut text into pieces before BPE: a merge never crosses a piece, so the pattern decides what a token can be.

`gpt2` (Radford et al., 2019) and `cl100k` (GPT-4, as published in tiktoken) are kept to the letter. Both match letters
with `\\p{L}+`, which runs through a whole Chinese sentence, since nothing in it is a space, and on into the Latin word
beside it. `han` is ours: Han, kana and other letters never share a piece, no run is longer than a cap (so a line of
100 MB without a space is only many small pieces), marks stay with their letters, and `'test'` is not cut after `'t`.

Every pattern is written once for engines that know Unicode and once for ASCII text and Python's `re`: the same pieces,
faster, with classes spelled out, the commonest alternative first and no way back (`++`) where none helps.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from hornbook.core.errors import UserError

if TYPE_CHECKING:
    import regex

SplitName = Literal["gpt2", "cl100k", "han"]

BLOCK = 1 << 13  # characters looked at together: their pieces stay in the cache
_TAIL = r"|\s+(?!\S)|\s+"


@dataclass(frozen=True)
class Split:
    """One way to cut text. `pattern` matches the pieces one after the other and leaves nothing out."""

    name: SplitName
    pattern: str  # for `regex`, tiktoken and `tokenizers`
    ascii: str  # the same pieces of ASCII text, for `re`
    cut: str  # places where every text may be divided without changing its pieces

    def pieces(self, text: str) -> Iterator[str]:
        """The pieces of a text, in order.

        >>> list(split("gpt2").pieces("Hello world, it's 2026"))
        ['Hello', ' world', ',', ' it', "'s", ' 2026']
        """
        for block in self.blocks(text):
            yield from self.find(block)

    def find(self, block: str) -> list[str]:
        """The pieces of a short text, at once."""
        return self._ascii.findall(block) if block.isascii() else self._pattern.findall(block)

    def blocks(self, text: str, longest: int | None = None) -> Iterator[str]:
        """Divide a text where no piece is cut, after about BLOCK characters each.

        `longest` divides by force, through a piece if need be: right for counting, wrong for encoding.
        """
        start = 0
        while len(text) - start > BLOCK:
            place = self._cut.search(text, start + BLOCK, start + longest if longest else len(text))
            if place is None and longest is None:
                break
            end = place.end() if place else min(start + (longest or 0), len(text))
            yield text[start:end]
            start = end
        if start < len(text):
            yield text[start:]

    @cached_property
    def fast(self) -> str:
        """The same for tiktoken: all but the lookahead in one group, which its engine runs as one automaton (1.3 x)."""
        front, tail, _ = self.pattern.rpartition(_TAIL)
        return f"(?:{front}){tail}" if front else self.pattern

    @cached_property
    def _ascii(self) -> re.Pattern[str]:
        return re.compile(self.ascii, re.ASCII)

    @cached_property
    def _pattern(self) -> "regex.Pattern[str]":
        import regex  # slow to import, and the command line reads recipes without it

        return regex.compile(self.pattern)

    @cached_property
    def _cut(self) -> re.Pattern[str]:
        return re.compile(self.cut)


GPT2 = Split(
    name="gpt2",
    pattern=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    ascii=r" ?[A-Za-z]++|'(?:[sdmt]|ll|ve|re)| ?[^\sA-Za-z0-9]++| ?[0-9]++|\s+(?!\S)|\s",
    cut=r"\S(?=[ \n])",
)

CL100K = Split(
    name="cl100k",
    pattern=r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ascii=r"'(?i:[sdmt]|ll|ve|re)|[^\r\nA-Za-z0-9]?[A-Za-z]++| ?[^\sA-Za-z0-9]++[\r\n]*+|\s*[\r\n]|\s+(?!\S)"
    r"|[0-9]{1,3}|\s",
    cut=r"\S(?= )|(?<=\S)\n(?=\S)",
)

# Letters and marks of scripts that put spaces between words: whatever is of no other category, nor Han or kana.
_WORD = r"[^\p{P}\p{S}\p{N}\p{Z}\p{C}\p{Han}\p{Hiragana}\p{Katakana}ー]"

HAN = Split(
    name="han",
    pattern=r"'(?i:[sdmt]|ll|ve|re)(?![A-Za-z])"
    rf"|[^\r\n\p{{L}}\p{{M}}\p{{N}}]?{_WORD}{{1,32}}"
    r"|(?:\p{Han}{1,16}|\p{Hiragana}{1,16}|[\p{Katakana}ー]{1,16}|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{M}\p{N}]{1,32}[\r\n]{0,32}|\s{0,32}[\r\n]{1,32})|\s{1,32}(?!\S)|\s{1,32}",
    ascii=r"'(?i:[sdmt]|ll|ve|re)(?![A-Za-z])|[^\r\nA-Za-z0-9]?[A-Za-z]{1,32}+"
    r"| ?[^\sA-Za-z0-9]{1,32}+[\r\n]{0,32}+|\s{0,32}[\r\n]{1,32}|\s{1,32}(?!\S)|[0-9]{1,3}+|\s",
    cut=r"\S(?= )|(?<=\S)\n(?=\S)",
)

_SPLITS = {split.name: split for split in (GPT2, CL100K, HAN)}


def split(name: str) -> Split:
    """The split of a name: gpt2, cl100k or han."""
    if name not in _SPLITS:
        raise UserError(f"split: {name!r} is not one of {', '.join(get_args(SplitName))}; use one of these")
    return _SPLITS[name]


def named(pattern: str) -> SplitName | None:
    """The name of a pattern that a tokenizer's file spells out."""
    return next((split.name for split in _SPLITS.values() if split.pattern == pattern), None)
