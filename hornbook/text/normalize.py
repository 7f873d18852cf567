"""Normalisers: what a tokenizer.json does to a text before it is cut, as functions from text to text.

Unicode's normal forms (UAX 15), lower case, accents, spaces, replacements, and BERT's own (normalize_bert.py). They
give what the `tokenizers` library gives, character for character, with one reservation: Python and that library each
know the Unicode of their year, so characters younger than the older of the two may be left as they are.
"""

import functools
import unicodedata
from collections.abc import Callable
from typing import Any, TypeAlias

from hornbook.text.normalize_bert import SPACES, BertRules, lower

Json = dict[str, Any]
Normaliser: TypeAlias = Callable[[str], str]

# Those that do the same to a text as to its words: none sees past a space.
WORD_BY_WORD = {"BertNormalizer", "Lowercase", "StripAccents", "NFC", "NFD", "NFKC", "NFKD"}


def normaliser(step: Json | None) -> Normaliser | None:
    """The function that the `normalizer` of a tokenizer.json describes; None where it is of a kind not known here.

    >>> normaliser({"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]})("№ ①")
    'no 1'
    """
    if step is None:
        return str
    if step["type"] == "Sequence":
        steps = [normaliser(each) for each in step["normalizers"]]
        known = [each for each in steps if each is not None]
        return _in_turn(known) if len(known) == len(steps) else None
    if step["type"] == "BertNormalizer":
        return BertRules.of(step).normalise
    make = _KINDS.get(step["type"])
    return make(step) if make else None


def word_by_word(step: Json | None) -> bool:
    """Whether a normaliser does the same to a text as to each of its words, so that words may be looked at alone."""
    if step is None:
        return True
    if step["type"] == "Sequence":
        return all(word_by_word(each) for each in step["normalizers"])
    return step["type"] in WORD_BY_WORD


def without_accents(text: str) -> str:
    """A text without its marks; those that are one character with their letter stay, unless it was decomposed before.

    >>> without_accents(unicodedata.normalize("NFD", "naïve")), without_accents("naïve")
    ('naive', 'naïve')
    """
    return text if text.isascii() else "".join(c for c in text if unicodedata.category(c)[0] != "M")


def _in_turn(steps: list[Normaliser]) -> Normaliser:
    return lambda text: functools.reduce(lambda so_far, step: step(so_far), steps, text)


def _form(form: Any) -> Callable[[Json], Normaliser]:
    return lambda _: functools.partial(unicodedata.normalize, form)


def _strip(step: Json) -> Normaliser:
    spaces = "".join(map(chr, SPACES))
    strips = {(True, True): str.strip, (True, False): str.lstrip, (False, True): str.rstrip}
    strip = strips.get((step["strip_left"], step["strip_right"]))
    return (lambda text: strip(text, spaces)) if strip else str


def _replace(step: Json) -> Normaliser | None:
    (kind, pattern), *_ = step["pattern"].items()
    content = step["content"]
    if kind == "String":
        return lambda text: text.replace(pattern, content)
    import regex  # its classes are those of the library; Python's own `re` has no \p

    try:
        compiled = regex.compile(pattern)
    except regex.error:
        return None
    return lambda text: compiled.sub(lambda _: content, text)


def _prepend(step: Json) -> Normaliser:
    return lambda text: step["prepend"] + text if text else text


_KINDS: dict[str, Callable[[Json], Normaliser | None]] = {
    **{form: _form(form) for form in ("NFC", "NFD", "NFKC", "NFKD")},
    "Lowercase": lambda _: lower,
    "StripAccents": lambda _: without_accents,
    "Strip": _strip,
    "Replace": _replace,
    "Prepend": _prepend,
}
