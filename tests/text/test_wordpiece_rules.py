"""The rules of a file: read as the library reads them, or handed on where they are not known."""

from typing import Any

import pytest

from hornbook.text.normalize_bert import BertRules
from hornbook.text.wordpiece_rules import configuration, cutter, describe

VOCAB = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}
LOWER = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]}


def test_what_is_written_is_read_the_same() -> None:
    for rules in (BertRules(), BertRules(lowercase=False, accents=False), BertRules(chinese=False)):
        assert cutter(describe(VOCAB, rules=rules))("A b中\x00é") == rules.words("A b中\x00é")
    assert describe(VOCAB, rules=BertRules())["post_processor"]["special_tokens"]["[CLS]"]["ids"] == [1]
    assert describe({"[UNK]": 0}, rules=BertRules())["post_processor"] is None
    assert configuration(BertRules(accents=False))["strip_accents"] is False


@pytest.mark.parametrize(
    ("normalizer", "pre_tokenizer", "words"),
    [
        (None, "BertPreTokenizer", ["Ab", ",", "é中\x1c", "x"]),
        (LOWER, "BertPreTokenizer", ["ab", ",", "é中\x1c", "x"]),
        (LOWER, "WhitespaceSplit", ["ab,é中\x1c", "x"]),
        (None, "WhitespaceSplit", ["Ab,é中\x1c", "x"]),
    ],
)
def test_words(normalizer: Any, pre_tokenizer: str, words: list[str]) -> None:
    from tokenizers import normalizers, pre_tokenizers

    cut = cutter({"normalizer": normalizer, "pre_tokenizer": {"type": pre_tokenizer}})
    assert cut("Ab,é中\x1c\x85x") == words
    steps = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()] if normalizer else [])
    reference = getattr(pre_tokenizers, pre_tokenizer)().pre_tokenize_str(steps.normalize_str("Ab,é中\x1c\x85x"))
    assert [word for word, _ in reference] == words


@pytest.mark.parametrize(
    ("normalizer", "pre_tokenizer"),
    [
        (None, None),
        (None, {"type": "Whitespace"}),
        ({"type": "Nmt"}, {"type": "BertPreTokenizer"}),
        ({"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "WhitespaceSplit"}),
    ],
)
def test_rules_that_are_not_known(normalizer: Any, pre_tokenizer: Any) -> None:
    with pytest.raises(KeyError):
        cutter({"normalizer": normalizer, "pre_tokenizer": pre_tokenizer})
