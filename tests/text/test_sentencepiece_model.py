""".model files beside sentencepiece: its files give its ids here, ours give ours there."""

from pathlib import Path

import pytest
import sentencepiece

from hornbook.core.errors import UserError
from hornbook.text import sentencepiece_model
from hornbook.text.protobuf import bytes_field, number_field
from hornbook.text.sentencepiece import Kind
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from hornbook.text.tokenizer import load
from hornbook.text.unigram_tokenizer import UnigramTokenizer
from tests.text.made_up_pieces import ODD, OWN, published, real_texts, sentences, trained, whole

MODELS = {
    "unigram": {"model_type": "unigram"},
    "unigram with bytes": {"model_type": "unigram", "byte_fallback": True, "vocab_size": 700},
    "unigram, identity": {"model_type": "unigram", "normalization_rule_name": "identity"},
    "unigram, nfkc_cf": {"model_type": "unigram", "normalization_rule_name": "nfkc_cf"},
    "unigram, own pieces": {"model_type": "unigram", "user_defined_symbols": ",".join(OWN), "control_symbols": "<c>"},
    "unigram, spaces kept": {
        "model_type": "unigram",
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "byte_fallback": True,
        "vocab_size": 700,
    },
    "bpe": {"model_type": "bpe"},
    "bpe, nfkc": {"model_type": "bpe", "normalization_rule_name": "nfkc"},
    "bpe as Llama 2": {
        "model_type": "bpe",
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "byte_fallback": True,
        "split_digits": True,
        "allow_whitespace_only_pieces": True,
        "vocab_size": 700,
    },
    "bpe, own pieces": {"model_type": "bpe", "user_defined_symbols": ",".join(OWN)},
}
TEXTS = [*map(whole, ODD), *sentences()[:60], "\n".join(sentences()[:30])]


@pytest.mark.parametrize("name", MODELS)
def test_their_file_gives_their_ids(name: str) -> None:
    model = trained(**MODELS[name])
    ours, theirs = sentencepiece_model.parse(model), published(model)
    assert isinstance(ours, SentencePieceBPE if name.startswith("bpe") else UnigramTokenizer)
    for text in TEXTS:
        ids = theirs.encode(text)
        assert ours.encode(text) == ids, text
        assert ours.decode(ids) == theirs.decode(ids), text
    assert (ours.vocab, ours.end, ours.unknown) == (theirs.vocab_size(), theirs.eos_id(), theirs.unk_id())


@pytest.mark.parametrize("name", MODELS)
def test_our_file_gives_them_our_ids(name: str, tmp_path: Path) -> None:
    ours = sentencepiece_model.parse(trained(**MODELS[name]))
    sentencepiece_model.write(ours, tmp_path / "tokenizer.model")
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    assert [theirs.id_to_piece(i) for i in range(ours.vocab)] == list(ours.pieces)
    assert [theirs.get_score(i) for i in range(ours.vocab)] == list(ours.scores)
    assert [theirs.is_control(i) for i in range(ours.vocab)] == [kind == Kind.CONTROL for kind in ours.kinds]
    assert theirs.encode(TEXTS) == ours.encode_batch(TEXTS)
    assert (theirs.eos_id(), theirs.bos_id()) == (ours.end, ours.special["<s>"])
    assert load(tmp_path).fingerprint == ours.fingerprint


@pytest.mark.parametrize("name", ["bpe", "unigram"])
def test_an_unused_piece_is_taken_apart(name: str) -> None:
    whole_table = sentencepiece_model.parse(trained(model_type=name))
    kinds = [
        Kind.UNUSED if kind == Kind.NORMAL and len(piece) > 3 and i % 2 else kind
        for i, (piece, kind) in enumerate(zip(whole_table.pieces, whole_table.kinds, strict=True))
    ]
    ours = type(whole_table).from_pieces(whole_table.pieces, whole_table.scores, kinds, rules=whole_table.rules)
    theirs = published(sentencepiece_model.serialize(ours))
    assert ours.encode_batch(TEXTS) == theirs.encode(TEXTS) != whole_table.encode_batch(TEXTS)


REAL = ["llama2/tokenizer.model", "t5/t5_tokenizer_base.model", "sentencepiece_tests/test_model.model"]


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_vocabularies_on_all_real_texts(name: str, shared_data: Path) -> None:
    path = shared_data / "tokenizers" / name
    ours, theirs = load(path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    for source, lines in real_texts(shared_data).items():
        for line, ids in zip(lines, theirs.encode(lines), strict=True):
            assert ours.encode(line) == ids, (source, line)
        whole_file = "\n".join(lines)
        assert ours.encode(whole_file) == theirs.encode(whole_file), source


@pytest.mark.parametrize("name", REAL)
def test_real_vocabularies_on_some_real_text(name: str, shared_data: Path) -> None:
    path = shared_data / "tokenizers" / name
    ours, theirs = load(path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    lines = (shared_data / "text" / "wiki_demo" / "wiki_demo.txt").read_text(encoding="utf-8").split("\n")[:40]
    for text in [*map(whole, ODD), *lines]:
        assert ours.encode(text) == theirs.encode(text), text
        assert ours.decode(theirs.encode(text)) == theirs.decode(theirs.encode(text))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it holds no piece"),
        (b"PK\x03\x04 a zip archive", "no whole SentencePiece model"),
        (b'{"version": "1.0"}', "no whole SentencePiece model"),
        (trained(model_type="bpe")[:-400], "wants .* bytes"),
        (trained(model_type="char"), "its type is char, and unigram and bpe are read"),
        (trained(model_type="bpe", treat_whitespace_as_suffix=True), "spaces after words"),
        (trained(model_type="bpe", eos_id=-1), "no piece ends a text"),
        (bytes_field(1, bytes_field(1, b"a")), "no piece is of the kind UNKNOWN"),
        (bytes_field(1, number_field(1, 7)), "7 stands where bytes should"),
        (bytes_field(1, bytes_field(1, b"\xff")), "no whole SentencePiece model"),
        (bytes_field(1, bytes_field(1, b"a") + number_field(3, 99)), "99 is not a valid Kind"),
    ],
)
def test_what_is_no_model_is_one_sentence(data: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(data)
    with pytest.raises(UserError, match=sentence) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        sentencepiece_model.read(tmp_path / "none.model")
