"""The rules of a WordPiece tokenizer as tokenizer.json has them: read into a function, written for BERT's.

What comes before the pieces: a normaliser that looks at each word by itself, and a way to cut words. Files with other
rules (a text's first space, Python's word pattern) are left to the `tokenizers` library.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from hornbook.text import template
from hornbook.text.normalize import normaliser, word_by_word
from hornbook.text.normalize_bert import BertRules
from hornbook.text.roles import ROLES

Json = dict[str, Any]

SPACED = re.compile(r"[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")  # Unicode's White_Space
BERT = {role: ROLES[role][0] for role in ("pad", "unk", "cls", "sep", "mask")}


def cutter(data: Json) -> Callable[[str], list[str]]:
    """The function from a text to its normalised words that a tokenizer.json describes; KeyError for other kinds."""
    step, cut = data.get("normalizer"), (data.get("pre_tokenizer") or {}).get("type")
    if cut == "BertPreTokenizer" and step and step["type"] == "BertNormalizer":
        return BertRules.of(step).words
    bare = BertRules(clean=False, chinese=False, accents=False, lowercase=False)
    cuts: dict[Any, Callable[[str], list[str]]] = {"BertPreTokenizer": bare.words, "WhitespaceSplit": SPACED.findall}
    find, normalise = cuts[cut], normaliser(step)
    if normalise is None or not word_by_word(step):
        raise KeyError(step)
    return lambda text: find(normalise(text))


def describe(
    vocab: Mapping[str, int], *, rules: BertRules, roles: Mapping[str, str] = BERT, longest: int = 100
) -> Json:
    """The content of the tokenizer.json of a BERT-like tokenizer; `roles` names its special tokens."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    special = sorted(
        {token: vocab[token] for token in roles.values() if token in vocab}.items(), key=lambda item: item[1]
    )
    ends = [(roles[role], vocab[roles[role]]) for role in ("cls", "sep") if roles.get(role) in vocab]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": token, **flags} for token, i in special],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": rules.clean,
            "handle_chinese_chars": rules.chinese,
            "strip_accents": rules.accents,
            "lowercase": rules.lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": template.describe(template.bert(*ends)) if len(ends) == 2 else None,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": roles["unk"],
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": longest,
            "vocab": dict(sorted(vocab.items(), key=lambda item: item[1])),
        },
    }


def configuration(rules: BertRules, roles: Mapping[str, str] = BERT) -> Json:
    """The content of the tokenizer_config.json beside it."""
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": rules.lowercase,
        "strip_accents": rules.accents,
        "tokenize_chinese_chars": rules.chinese,
        **{f"{role}_token": token for role, token in roles.items()},
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1 << 30,
    }
