"""tokenizer.json beside `tokenizers` and transformers: what we write opens there with our ids, what they write here."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import tokenizers
import transformers

from hornbook.text import sentencepiece_model
from hornbook.text.delegate import Delegate
from hornbook.text.sentencepiece import SentencePiece
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from hornbook.text.sentencepiece_json import describe, ours
from hornbook.text.sentencepiece_rules import Rules
from hornbook.text.tokenizer import Tokenizer, load
from hornbook.text.unigram import Unigram
from hornbook.text.unigram_tokenizer import GRAIN, UnigramTokenizer
from tests.text.made_up_pieces import ODD, sentences, trained, whole

# What the format cannot say: `<s>` and `<0x41>` in a text are that library's tokens, whoever wrote them.
TEXTS = [text for text in [*map(whole, ODD), *sentences()[:60], *sentences()[1200::9]] if "<" not in text]

# Marks, which the library takes with what they stand on.
TOGETHER = re.compile("[\u0300-\u036f\u200b-\u200f\ufeff¨]")


def lossless() -> SentencePiece:
    return Unigram(vocab=600, coverage=0.99).train(["\n".join(sentences()[:400])] * 2, processes=1)


def marked() -> SentencePiece:
    return Unigram(vocab=600, rules="sentencepiece").train(sentences()[:400], processes=1)


def like_llama() -> SentencePiece:
    options = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False, "byte_fallback": True}
    return sentencepiece_model.parse(trained(model_type="bpe", vocab_size=700, **options))


def like_t5() -> SentencePiece:
    """With scores that add up exactly, so that rounding does not decide which of equal ways is taken."""
    found = sentencepiece_model.parse(trained(model_type="unigram"))
    scores = [round(score * GRAIN) / GRAIN for score in found.scores]
    return UnigramTokenizer.from_pieces(found.pieces, scores, found.kinds, rules=found.rules)


MADE = [lossless, marked, like_llama, like_t5]


@pytest.mark.parametrize("make", MADE)
def test_they_open_ours_with_equal_ids(make: Callable[[], SentencePiece], tmp_path: Path) -> None:
    tokenizer = make()
    tokenizer.save(tmp_path)
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    fast = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        if tokenizer.rules.charsmap and TOGETHER.search(text):
            continue
        ids = tokenizer.encode(text)
        assert library.encode(text, add_special_tokens=False).ids == ids, text
        assert fast(text, add_special_tokens=False)["input_ids"] == ids
        if tokenizer.byte_ids:
            assert library.decode(ids, skip_special_tokens=False) == tokenizer.decode(ids)
    assert fast.eos_token_id == tokenizer.end
    assert library.get_vocab_size() == tokenizer.vocab


@pytest.mark.parametrize("make", MADE)
def test_what_was_written_is_read_as_ours(make: Callable[[], SentencePiece], tmp_path: Path) -> None:
    tokenizer = make()
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer.model").unlink()
    again = load(tmp_path)
    assert type(again) is type(tokenizer)
    assert again.fingerprint == tokenizer.fingerprint
    assert again.encode_batch(TEXTS) == tokenizer.encode_batch(TEXTS)


@pytest.mark.parametrize("change", ["normalizer", "pre_tokenizer", "decoder", "added_tokens"])
def test_a_file_that_says_more_is_not_ours(change: str) -> None:
    tokenizer = like_llama()
    config = {"eos_token": "</s>"}
    data = json.loads(json.dumps(describe(tokenizer)))
    assert ours(data, config) is not None
    if change == "added_tokens":
        data[change].append({**data[change][0], "id": tokenizer.vocab, "content": "<extra>"})
    else:
        data[change] = {"type": "Sequence", f"{change}s".replace("decoders", "decoders"): [], "other": 1}
    assert ours(data, config) is None


def unigram_vocab() -> list[tuple[str, float]]:
    tokenizer = like_t5()
    return list(zip(tokenizer.pieces, tokenizer.scores, strict=True))


def written(tmp_path: Path, library: tokenizers.Tokenizer, end: str = "</s>") -> tuple[Tokenizer, tokenizers.Tokenizer]:
    """A folder as Hugging Face's converters leave it, opened here and there."""
    library.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": end, "unk_token": "<unk>"}))
    return load(tmp_path), library


def metaspace(prepend: str = "always") -> tokenizers.pre_tokenizers.PreTokenizer:
    return tokenizers.pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=prepend)


def precompiled() -> tokenizers.normalizers.Normalizer:
    charsmap = tokenizers.normalizers.Precompiled(like_t5().rules.charsmap)
    squeeze = tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " ")
    return tokenizers.normalizers.Sequence([charsmap, tokenizers.normalizers.Strip(), squeeze])


def test_t5s_layout(tmp_path: Path) -> None:
    """<pad>, </s>, <unk>, pieces, and a hundred <extra_id_n> behind them, the last first."""
    rows = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *unigram_vocab()[3:]]
    extra = [f"<extra_id_{n}>" for n in reversed(range(100))]
    library = tokenizers.Tokenizer(tokenizers.models.Unigram([*rows, *((e, 0.0) for e in extra)], 2, False))
    library.normalizer, library.pre_tokenizer, library.decoder = (
        precompiled(),
        metaspace(),
        tokenizers.decoders.Metaspace(),
    )
    library.add_special_tokens(["<pad>", "</s>", "<unk>", *extra])
    library.post_processor = tokenizers.processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 1)])
    tokenizer, _ = written(tmp_path, library)
    for text in TEXTS:
        assert tokenizer.encode(text) == library.encode(text, add_special_tokens=False).ids
    zero = len(rows) + 99
    assert tokenizer.encode("the <extra_id_0> of", special=True)[-2:-1] == [zero]
    assert tokenizer.wrap([5]) == ([5, 1], [0, 0])
    assert (tokenizer.end, tokenizer.vocab) == (1, len(rows) + 100)


def test_xlm_rs_layout(tmp_path: Path) -> None:
    """fairseq's four special tokens in front, so that SentencePiece's ids move up by one, and <mask> at the end."""
    rows = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *unigram_vocab()[3:], ("<mask>", 0.0)]
    library = tokenizers.Tokenizer(tokenizers.models.Unigram(rows, 3, False))
    library.normalizer, library.pre_tokenizer, library.decoder = (
        precompiled(),
        metaspace(),
        tokenizers.decoders.Metaspace(),
    )
    library.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer, _ = written(tmp_path, library)
    sentencepiece = like_t5()
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert ids == library.encode(text, add_special_tokens=False).ids
        if not TOGETHER.search(text) and not re.search(r"[\t\n\0]", text) and 3 not in ids:
            assert ids == [i + 1 if i > 2 else 3 for i in sentencepiece.encode(text)], text
    assert tokenizer.roles["mask"] == len(rows) - 1


def test_alberts_layout(tmp_path: Path) -> None:
    """Quotes made plain, accents dropped, lower case; [CLS] and [SEP]."""
    steps = [
        tokenizers.normalizers.Replace("``", '"'),
        tokenizers.normalizers.NFKD(),
        tokenizers.normalizers.StripAccents(),
        tokenizers.normalizers.Lowercase(),
    ]
    rows = [("<pad>", 0.0), ("<unk>", 0.0), ("[CLS]", 0.0), ("[SEP]", 0.0), ("[MASK]", 0.0), *unigram_vocab()[3:]]
    library = tokenizers.Tokenizer(tokenizers.models.Unigram(rows, 1, False))
    library.normalizer, library.pre_tokenizer = tokenizers.normalizers.Sequence(steps), metaspace()
    library.decoder = tokenizers.decoders.Metaspace()
    library.add_special_tokens(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer, _ = written(tmp_path, library, end="[SEP]")
    assert isinstance(tokenizer, Delegate)
    for text in TEXTS:
        assert tokenizer.encode(text) == library.encode(text, add_special_tokens=False).ids
    assert tokenizer.end == 3


def test_llama_2s_layout(tmp_path: Path) -> None:
    """Hugging Face's own conversion: Prepend and Replace for `▁`, BPE with bytes."""
    model = like_llama()
    data = describe(model)
    data["pre_tokenizer"] = None
    data["normalizer"]["normalizers"] = [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    ]
    library = tokenizers.Tokenizer.from_str(json.dumps(data))
    tokenizer, _ = written(tmp_path, library)
    for text in TEXTS:
        assert tokenizer.encode(text) == library.encode(text, add_special_tokens=False).ids == model.encode(text)
        assert tokenizer.decode(tokenizer.encode(text)) == model.decode(model.encode(text))


def test_own_pieces_are_said_in_both_kinds() -> None:
    pieces, kinds = ["<unk>", "</s>", "a", "b", "ab", "<x>"], [2, 3, 1, 1, 1, 4]
    rules = Rules(dummy_prefix=False, squeeze=False)
    for algorithm in (UnigramTokenizer, SentencePieceBPE):
        tokenizer = algorithm.from_pieces(pieces, [0, 0, -1, -1, -1, 0], kinds, rules=rules)
        library = tokenizers.Tokenizer.from_str(json.dumps(describe(tokenizer)))
        for text in ("ab<x>ab", "<x>", "a<x><x>b"):
            assert library.encode(text).ids == tokenizer.encode(text)
