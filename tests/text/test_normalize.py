"""Normalisers are what `tokenizers` makes of the same description, on texts of every kind."""

import json
import random
import unicodedata

import pytest
from tokenizers import Tokenizer, models, normalizers

from hornbook.text.normalize import normaliser, without_accents, word_by_word

STEPS = [
    {"type": "NFC"},
    {"type": "NFD"},
    {"type": "NFKC"},
    {"type": "NFKD"},
    {"type": "Lowercase"},
    {"type": "StripAccents"},
    {"type": "Strip", "strip_left": True, "strip_right": False},
    {"type": "Strip", "strip_left": False, "strip_right": True},
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Strip", "strip_left": False, "strip_right": False},
    {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    {"type": "Replace", "pattern": {"Regex": r"\p{N}{2,}| {2,}"}, "content": "0"},
    {"type": "Prepend", "prepend": "▁"},
    {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    {"type": "Sequence", "normalizers": []},
    {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]},
]
ALPHABET = " \t\x1c\x85\u3000aÉßΣﬁ①½中カ゛각\u0301\u0327👩🏽12３"  # noqa: RUF001 - look-alikes are meant


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step["type"])
def test_the_same_as_the_library_s(step: dict[str, object]) -> None:
    reference = Tokenizer(models.BPE())
    data = {**json.loads(reference.to_str()), "normalizer": step}
    theirs = Tokenizer.from_str(json.dumps(data)).normalizer or normalizers.Sequence([])
    ours = normaliser(step)
    assert ours is not None
    choice = random.Random(1)
    for text in ["", *("".join(choice.choices(ALPHABET, k=choice.randint(1, 9))) for _ in range(400))]:
        assert ours(text) == theirs.normalize_str(text)


def test_kinds_that_are_not_known() -> None:
    assert normaliser({"type": "Nmt"}) is None
    assert normaliser({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Nmt"}]}) is None
    assert normaliser({"type": "Replace", "pattern": {"Regex": "("}, "content": ""}) is None
    no_step = normaliser(None)
    assert no_step is not None
    assert no_step(" A ") == " A "


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step["type"])
def test_word_by_word_means_what_it_says(step: dict[str, object]) -> None:
    """A text normalised as a whole has the words that it has when each is normalised alone."""
    ours, choice, differs = normaliser(step), random.Random(2), False
    assert ours is not None
    for _ in range(400):
        text = "".join(choice.choices(ALPHABET.replace("\x1c", "").replace("\x85", ""), k=8))
        alone = " ".join(ours(word) for word in text.split())
        differs |= alone.split() != ours(text).split()
    assert not (word_by_word(step) and differs)
    assert word_by_word(None)


def test_accents() -> None:
    assert without_accents(unicodedata.normalize("NFD", "Ångström é")) == "Angstrom e"
