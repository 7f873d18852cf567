"""BERT's cleaning and cutting equal the `tokenizers` library's, flag by flag and character by character."""

import itertools
import random
import unicodedata

import pytest
from tokenizers import normalizers, pre_tokenizers

from hornbook.text.normalize_bert import BertRules, lower

# All that this Python knows; one letter of Dives Akuru is decomposed by Python and not by the library.
KNOWN = [
    c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Co", "Cs") and c != "\U00011938"
]
CUT = pre_tokenizers.BertPreTokenizer()


@pytest.mark.parametrize("flags", [*itertools.product([True, False], repeat=4)])
def test_every_character_in_a_word(flags: tuple[bool, ...]) -> None:
    clean, chinese, accents, lowercase = flags
    rules = BertRules(clean=clean, chinese=chinese, accents=accents, lowercase=lowercase)
    reference = normalizers.BertNormalizer(*flags)
    often = 9000 if all(flags) else 700  # the alphabets, then some of everything else
    for text in (f"a{c}B" for c in KNOWN[:often] + KNOWN[often::31]):
        normal = reference.normalize_str(text)
        assert rules.normalise(text) == normal or not clean
        assert rules.words(text) == [word for word, _ in CUT.pre_tokenize_str(normal)]


def test_texts_of_any_characters() -> None:
    choice, reference = random.Random(0), normalizers.BertNormalizer()
    usual = "aÉßİ ,.中ーの가\u0301\u200d\ufeff\x00\x1c\x85\u2028👩🏽\ufffd"
    for _ in range(3000):
        text = "".join(choice.choices(usual, k=9)) + choice.choice(KNOWN) + "x"
        assert BertRules().normalise(text) == reference.normalize_str(text)


def test_a_file_that_is_silent_about_accents_strips_them_with_the_case() -> None:
    assert BertRules.of({"lowercase": True, "strip_accents": None}) == BertRules()
    assert BertRules.of({"lowercase": False}) == BertRules(lowercase=False, accents=False)
    assert BertRules.of({"lowercase": True, "strip_accents": False}).words("Käse") == ["käse"]


def test_case_does_not_look_at_neighbours() -> None:
    assert [hex(ord(c)) for c in lower("\N{GREEK CAPITAL LETTER SIGMA}" * 2)] == ["0x3c3", "0x3c3"]  # none is final
    assert lower("İ ẞ") == "i\u0307 ß"
