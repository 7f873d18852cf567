"""Cuts: their names go both ways, the pieces are those of llama.cpp's patterns and of the models' own files."""

import json

import pytest
import regex
from tokenizers import Tokenizer

from hornbook.exchange.gguf_cuts import CUTS, Cut, name_of

TEXT = """Hello world, it's 2026! I'LL pay $1,234.50... Don't\n\n\n  stop\tnow?  naïve CamelCase HTMLParser x²
天地玄黄,宇宙洪荒 12345年 שלום مرحبا 👩\u200d👩\u200d👧 a_b/c  \r\n\r\n   end """

# As llama.cpp writes them for its engine (llama-vocab.cpp), where that is a plain pattern
LLAMA_CPP = {
    "llama-bpe": r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "gpt-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "smollm": r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s(?=\p{N})|\s+",
    "tekken": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}


def pieces(cut: Cut) -> list[str]:
    """By the `tokenizers` library, which spells bytes; the places tell the text."""
    data = {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": cut.describe()}
    model = {"type": "BPE", "vocab": {}, "merges": []}
    tokenizer = Tokenizer.from_str(json.dumps({**data, "post_processor": None, "decoder": None, "model": model}))
    assert tokenizer.pre_tokenizer is not None
    return [TEXT[start:end] for _, (start, end) in tokenizer.pre_tokenizer.pre_tokenize_str(TEXT)]


@pytest.mark.parametrize("name", sorted(LLAMA_CPP))
def test_pieces_are_those_of_llama_cpp(name: str) -> None:
    assert pieces(CUTS[name]) == regex.findall(LLAMA_CPP[name], TEXT)


@pytest.mark.parametrize("name", sorted(CUTS))
def test_a_name_becomes_steps_and_steps_the_name(name: str) -> None:
    found = name_of(CUTS[name].describe())
    assert found is not None
    assert CUTS[found].patterns == CUTS[name].patterns


def test_what_other_makers_wrote_has_its_name() -> None:
    """As in the tokenizer.json of Llama 3, Qwen2, SmolLM2 and GPT-2."""
    rest = r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    long = "(?i:'s|'t|'re|'ve|'m|'ll|'d)" + rest
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}

    def cut(pattern: str) -> dict[str, object]:
        split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
        return {"type": "Sequence", "pretokenizers": [split, byte_level]}

    assert name_of(cut(long)) == "llama-bpe"
    assert name_of(cut(long.replace("{1,3}", ""))) == "qwen2"
    gpt2 = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    assert name_of(gpt2) == "gpt-2"
    digits = {"type": "Digits", "individual_digits": True}
    assert name_of({"type": "Sequence", "pretokenizers": [digits, {**gpt2, "use_regex": True}]}) == "smollm"


@pytest.mark.parametrize(
    "step",
    [
        None,
        {"type": "Whitespace"},
        {"type": "ByteLevel", "add_prefix_space": True},
        {"type": "Digits", "individual_digits": False},
    ],
)
def test_other_ways_have_no_name(step: object) -> None:
    assert name_of(step) is None
    assert name_of({"type": "Sequence", "pretokenizers": [step, {"type": "ByteLevel"}]}) is None
