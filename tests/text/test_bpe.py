# ruff: noqa: RUF001 - Chinese punctuation is meant
"""Training a tokenizer: its layout, that it is the same every time, what too little text and bad values do."""

import random

import pytest

from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.text.alphabet import BYTES
from hornbook.text.bpe import BPE

TEXTS = [
    "the cat sat on the mat, the cat sat.\n" * 9,
    "举头望明月，低头思故乡。" * 9,
    "for i in range(10):\n    print(i)\n" * 9,
]


def test_ids_are_bytes_then_merges_then_special_tokens() -> None:
    tokenizer = BPE(vocab=300).train(TEXTS)
    assert tokenizer.vocab == 300
    assert [tokenizer.decode_bytes([i]) for i in range(256)] == [bytes([byte]) for byte in BYTES]
    assert tokenizer.special == {"<|endoftext|>": 297, "<|im_start|>": 298, "<|im_end|>": 299}
    assert tokenizer.end == 297
    assert all(len(tokenizer.decode_bytes([i])) > 1 for i in range(256, 297))
    assert len({tokenizer.decode_bytes([i]) for i in range(300)}) == 300


def test_the_same_text_gives_the_same_tokenizer() -> None:
    texts = ["".join(random.Random(seed).choices("abc 的是。\n", k=9000)) for seed in range(4)]
    alone = BPE(vocab=400).train(texts, processes=1)
    assert BPE(vocab=400).train(iter(texts), processes=2).fingerprint == alone.fingerprint
    assert BPE(vocab=400).train(texts[1:], processes=1).fingerprint != alone.fingerprint


def test_a_text_too_small_for_the_vocabulary_gives_fewer_ids_and_says_so() -> None:
    config = BPE(vocab=4000)
    tokenizer = config.train(TEXTS)
    assert 256 < tokenizer.vocab < 600
    assert tokenizer.end < tokenizer.vocab
    assert config.shortfall(tokenizer).startswith(f"vocab: the text holds only {tokenizer.vocab} of the 4000 ids")
    assert BPE(vocab=300).shortfall(BPE(vocab=300).train(TEXTS)) == ""


def test_the_merges_are_remembered_and_can_be_found_again() -> None:
    tokenizer = BPE(vocab=400).train(TEXTS)
    learned = tokenizer.merges
    del tokenizer.merges
    assert tokenizer.merges == learned
    assert len(learned) == tokenizer.vocab - 259


def test_progress_hears_of_both_stages() -> None:
    heard: list[tuple[str, int]] = []
    BPE(vocab=300).train(TEXTS, progress=lambda stage, done: heard.append((stage, done)))
    assert heard[0] == ("count", sum(map(len, TEXTS)))
    assert heard[1:] == [("merge", number) for number in range(1, 42)]


def test_special_tokens_in_the_text_are_text() -> None:
    tokenizer = BPE(vocab=400).train(["<|endoftext|> and <|im_end|> " * 50])
    assert tokenizer.end not in tokenizer.encode("<|endoftext|>")
    assert tokenizer.encode("<|endoftext|>", special=True) == [tokenizer.end]


def test_surrogates_in_the_text_do_no_harm() -> None:
    assert BPE(vocab=300).train([*TEXTS, "a\ud800b " * 9]).vocab == 300


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"vocab": 258}, "vocab: 258 has no room for 256 bytes and 3 special tokens; give 259 or more"),
        ({"split": "gpt3"}, "'gpt3' is not one of gpt2, cl100k, han"),
        ({"special": []}, "special: .* wants one or more distinct, non-empty tokens"),
        ({"special": ["<a>", "<a>"]}, "special: .* wants one or more distinct, non-empty tokens"),
        ({"vocabulary": 4}, "tokenizer.vocabulary: bpe has no such field"),
    ],
)
def test_values_that_do_not_fit(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        recipe.parse(BPE, fields, "tokenizer")


@pytest.mark.parametrize("texts", [[], [""]])
def test_no_text_at_all(texts: list[str]) -> None:
    with pytest.raises(UserError, match="corpus: no text to train a tokenizer on"):
        BPE(vocab=300).train(texts)
