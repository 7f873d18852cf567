"""BERT's way to clean a text and to cut it into words (Devlin et al., 2019; their `BasicTokenizer`).

Control characters go, every space becomes a plain one, ideographs stand alone, letters lose case and accents; then
words end at spaces, and every punctuation sign is a word. All of it looks at one character at a time, so it is one
table from characters to strings, filled as characters come: `str.translate` and a split do the whole. (Decomposing
would also sort marks of two kinds on one letter; those that BERT keeps stay as they were written.)
"""

import functools
import unicodedata
from dataclasses import dataclass
from typing import Any

from hornbook.text.normalize_unicode import CHINESE, CONTROL, MARKS, PUNCTUATION, characters

# Unicode's White_Space: Python's own spaces also hold \x1c to \x1f, which others take for control characters.
SPACES = {*map(ord, "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"), *range(0x2000, 0x200B)}


@dataclass(frozen=True, kw_only=True)
class BertRules:
    """What is done to a text, as the `BertNormalizer` of a tokenizer.json says it."""

    clean: bool = True
    chinese: bool = True
    accents: bool = True  # strip them
    lowercase: bool = True

    @classmethod
    def of(cls, step: dict[str, Any]) -> "BertRules":
        """The rules of a BertNormalizer; accents that are not spoken of go with the case."""
        lowercase = step.get("lowercase", True)
        accents = lowercase if step.get("strip_accents") is None else step["strip_accents"]
        chinese = step.get("handle_chinese_chars", True)
        return cls(clean=step.get("clean_text", True), chinese=chinese, accents=accents, lowercase=lowercase)

    def normalise(self, text: str) -> str:
        """The text that words are cut from.

        >>> BertRules().normalise("Naïve\\x00\\tCafé 中文")
        'naive cafe  中  文 '
        """
        return text.translate(table(self, split=False))

    def words(self, text: str) -> list[str]:
        """The words and punctuation signs of a text, normalised.

        >>> BertRules().words("It's naïve, 中文!")
        ['it', "'", 's', 'naive', ',', '中', '文', '!']
        """
        normal = text.translate(table(self, split=True))
        return normal.split() if self.clean else [word for word in normal.split(" ") if word]


class Table(dict[int, str]):
    """What becomes of each character; `split` puts spaces around punctuation, as cutting into words does."""

    def __init__(self, rules: BertRules, *, split: bool) -> None:
        self.rules, self.split = rules, split

    def __missing__(self, code: int) -> str:
        rules, character = self.rules, chr(code)
        if rules.clean and code in classes()["control"]:
            out = ""
        elif code in SPACES and (rules.clean or self.split):
            out = " "
        else:
            out = character
            if rules.accents:
                out = "".join(c for c in unicodedata.normalize("NFD", out) if ord(c) not in classes()["marks"])
            out = lower(out) if rules.lowercase else out
            out = "".join(map(self._apart, out)) if self.split else out
            out = f" {out} " if rules.chinese and code in classes()["chinese"] else out
        self[code] = out
        return out

    def _apart(self, character: str) -> str:
        return f" {character} " if ord(character) in classes()["punctuation"] else character


@functools.cache
def table(rules: BertRules, *, split: bool) -> Table:
    """The table of some rules, shared by all who cut by them: it fills only once."""
    return Table(rules, split=split)


@functools.cache
def classes() -> dict[str, frozenset[int]]:
    """Code points by class."""
    named = {"control": CONTROL, "chinese": CHINESE, "punctuation": PUNCTUATION, "marks": MARKS}
    return {name: frozenset(characters(ranges)) for name, ranges in named.items()}


def lower(text: str) -> str:
    """Lower case character by character: a sigma at the end of a word is as any other, unlike `str.lower`.

    >>> lower("ΟΔΟΣ"), "ΟΔΟΣ".lower()
    ('οδοσ', 'οδος')
    """
    return text.lower() if "Σ" not in text else "".join(map(str.lower, text))
