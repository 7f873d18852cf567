"""Training WordPiece: the layout of its ids, what it knows, as good as the reference, the same every time."""

import json
import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Reference
from tokenizers import models, normalizers, pre_tokenizers, trainers

from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.text import count
from hornbook.text.normalize_bert import BertRules
from hornbook.text.wordpiece import BertWords, WordPiece, alphabet_of
from hornbook.text.wordpiece_rules import describe
from hornbook.text.wordpiece_tokenizer import WordPieceTokenizer

TEXTS = ["The cat sat on the mat; the cats sit, sitting on mats.\n" * 9, "春眠不觉晓 naïve Café\n" * 9]


def test_ids_are_special_tokens_then_characters_then_pieces() -> None:
    tokenizer = WordPiece(vocab=100, alphabet=40).train(TEXTS)
    tokens = [tokenizer.decode([i]) for i in range(tokenizer.vocab)]
    assert tokens[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert tokenizer.roles == {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4}
    assert (tokenizer.end, tokenizer.special) == (3, {token: i for i, token in enumerate(tokens[:5])})
    begin = [token for token in tokens[5:] if len(token) == 1]
    inside = [token for token in tokens[5:] if len(token) == 3 and token.startswith("##")]
    assert tokens[5:] == [*sorted(begin), *sorted(inside), *tokens[5 + len(begin) + len(inside) :]]
    assert {"春", ";", "c"} <= set(begin)
    assert tokenizer.encode("The cat sat") == [tokens.index("the"), tokens.index("cat"), tokens.index("sat")]


def test_the_flags_decide_what_a_word_is() -> None:
    def words(text: str, **flags: bool) -> str:
        return (
            WordPiece(vocab=100, alphabet=40, **flags)
            .train(TEXTS)
            .decode(WordPiece(vocab=100, alphabet=40, **flags).train(TEXTS).encode(text))
        )

    assert words("The naïve 春眠") == "the naive 春 眠"
    assert words("The naïve 春眠", lowercase=False) == "The naive 春 眠"
    assert words("The naïve 春眠", strip_accents=False) == "the naïve 春 眠"
    assert words("The naïve 春眠", chinese_characters=False) == "the naive 春眠"


def test_the_rarest_characters_and_the_longest_words_are_unknown() -> None:
    tokenizer = WordPiece(vocab=90, alphabet=3, longest_word=4).train(["aaa abab b c d"] * 3)
    assert tokenizer.decode(tokenizer.encode("ab ba d")) == "ab ba [UNK]"
    assert tokenizer.decode(tokenizer.encode("aaaa aaaaa")) == "aaaa [UNK]"
    assert alphabet_of({"aab": 1, "cb": 1}, 2) == {"a", "b"}


def test_the_same_text_gives_the_same_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "PARCEL", 3000)
    texts = ["".join(random.Random(seed).choices("abc dé, 的是。\n", k=2000)) for seed in range(12)]
    alone = WordPiece(vocab=200, alphabet=20).train(texts, processes=1)
    assert WordPiece(vocab=200, alphabet=20).train(iter(texts), processes=2).fingerprint == alone.fingerprint
    assert WordPiece(vocab=200, alphabet=20).train(texts[1:], processes=1).fingerprint != alone.fingerprint


def test_a_text_is_counted_in_blocks_that_cut_no_word() -> None:
    cutter = BertWords(BertRules())
    text = " ".join("word" + str(number) for number in range(5000))
    blocks = list(cutter.blocks(text))
    assert len(blocks) > 3
    assert "".join(blocks) == text
    assert [word for block in blocks for word in cutter.find(block)] == cutter.find(text)
    assert max(map(len, cutter.blocks("x" * 50000, longest=9000))) == 9000


def test_too_little_text_is_said() -> None:
    config = WordPiece(vocab=4000)
    tokenizer = config.train(TEXTS)
    assert config.shortfall(tokenizer).startswith(f"vocab: the text holds only {tokenizer.vocab} of the 4000 ids")
    small = WordPiece(vocab=45, alphabet=20)
    assert small.shortfall(small.train(TEXTS)) == ""
    heard: list[tuple[str, int]] = []
    small.train(TEXTS, progress=lambda stage, done: heard.append((stage, done)))
    assert heard[0] == ("count", sum(map(len, TEXTS)))
    assert heard[1] == ("merge", 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"vocab": 2004}, "vocab: 2004 may have no room for alphabet=1000 characters, .* give 2005 or more"),
        ({"special": ["[UNK]"]}, "special: .* wants five distinct tokens, for pad, unk, cls, sep, mask"),
        ({"special": ["a", "a", "b", "c", "d"]}, "wants five distinct tokens"),
        ({"alphabet": 0}, "alphabet: 0 leaves every word unknown"),
        ({"longest_word": 0}, "longest_word: 0 leaves every word unknown"),
        ({"split": "han"}, "tokenizer.split: word_piece has no such field"),
    ],
)
def test_values_that_do_not_fit(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        recipe.parse(WordPiece, fields, "tokenizer")


@pytest.mark.parametrize("texts", [[], [""], ["\x00"]])
def test_no_text_at_all(texts: list[str]) -> None:
    with pytest.raises(UserError, match="corpus: no text to train a tokenizer on"):
        WordPiece().train(texts)


def test_as_few_tokens_as_the_reference_s_trainer(shared_data: Path) -> None:
    """Within 1 % of bytes per token on text that neither has seen; the other breaks ties by the order of a hash."""
    texts = (shared_data / "text" / "wiki_demo" / "wiki_demo.txt").read_text(encoding="utf-8")[:400_000].split("\n")
    held_out = (shared_data / "text" / "wikitext-2" / "valid.txt").read_text(encoding="utf-8")[:400_000].split("\n")
    vocab = 4096
    ours = WordPiece(vocab=vocab).train(texts, processes=1)
    reference = Reference(models.WordPiece(unk_token="[UNK]"))
    reference.normalizer, reference.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    reference.train_from_iterator(
        texts,
        trainers.WordPieceTrainer(
            vocab_size=vocab, special_tokens=list(WordPiece().special), show_progress=False, min_frequency=2
        ),
    )
    theirs = WordPieceTokenizer(describe(reference.get_vocab(), rules=BertRules()), {})
    assert json.loads(reference.to_str())["model"]["max_input_chars_per_word"] == WordPiece().longest_word
    tokens = [sum(len(tokenizer.encode(text)) for text in held_out) for tokenizer in (ours, theirs)]
    assert tokens[0] < 1.01 * tokens[1]
    assert len(ours.tokens_to_ids.keys() & theirs.tokens_to_ids.keys()) > 0.97 * vocab
