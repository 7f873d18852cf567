"""WordPiece under the contract of tokenizers: ids, text and files are what the published libraries make."""

import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as Reference

from hornbook.core.errors import UserError
from hornbook.text import wordpiece_tokenizer
from hornbook.text.delegate import Delegate
from hornbook.text.plain import whole
from hornbook.text.tokenizer import load
from hornbook.text.wordpiece import WordPiece
from hornbook.text.wordpiece_match import match_plainly
from hornbook.text.wordpiece_tokenizer import WordPieceTokenizer

SOURCE = Path(__file__).read_text(encoding="utf-8")
TEXT = "Don't stop: naïve Wörter, 春眠不觉晓 ひらがな カタカナ 한국어 👩🏽\u200d👧 #hash ##tag [MASK] x\x00y\x85z\ufffd"
PARTS = [*TEXT, " ", "\n", "\u3000", "don't", "the", "[SEP]", "[MASK]", "##", "a" * 101, "\ud800", "\x1c", "\u2028"]


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def tokenizer(request: pytest.FixtureRequest) -> WordPieceTokenizer:
    case = request.param
    return WordPiece(vocab=700, alphabet=200, lowercase=case, strip_accents=case).train([SOURCE, TEXT * 9])


@pytest.fixture
def saved(tokenizer: WordPieceTokenizer, tmp_path: Path) -> Path:
    tokenizer.save(tmp_path)
    return tmp_path


def test_ids_are_the_library_s_on_texts_of_any_kind(tokenizer: WordPieceTokenizer, saved: Path) -> None:
    reference = Reference.from_file(str(saved / "tokenizer.json"))
    choice = random.Random(5)
    for special in (False, True):
        reference.encode_special_tokens = not special
        for text in [SOURCE, TEXT, "", *("".join(choice.choices(PARTS, k=12)) for _ in range(300))]:
            theirs = reference.encode(whole(text), add_special_tokens=False).ids
            assert tokenizer.encode(text, special=special) == theirs
            assert tokenizer.decode(theirs) == reference.decode(theirs, skip_special_tokens=False)
    assert tokenizer.encode_batch([TEXT, SOURCE]) == [tokenizer.encode(TEXT), tokenizer.encode(SOURCE)]


def test_transformers_reads_the_folder_with_the_same_ids(tokenizer: WordPieceTokenizer, saved: Path) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(saved)
    ids, pair = tokenizer.encode(TEXT, special=True), tokenizer.encode("a b")
    both = theirs(TEXT, "a b")
    assert tokenizer.wrap(ids) == (theirs(TEXT)["input_ids"], theirs(TEXT)["token_type_ids"])
    assert tokenizer.wrap(ids, pair) == (both["input_ids"], both["token_type_ids"])
    assert theirs.decode(ids) == tokenizer.decode(ids)
    assert (len(theirs), theirs.mask_token_id, theirs.pad_token_id) == (tokenizer.vocab, 4, 0)
    (saved / "tokenizer.json").unlink()  # vocab.txt and the configuration say the same
    assert AutoTokenizer.from_pretrained(saved)(TEXT)["input_ids"] == tokenizer.wrap(ids)[0]
    assert load(saved).encode(TEXT, special=True) == ids


def test_special_tokens_only_when_asked(tokenizer: WordPieceTokenizer) -> None:
    text = "a [MASK][SEP] [mask]"
    assert not set(tokenizer.encode(text)) & (set(tokenizer.special.values()) - {tokenizer.unknown})
    assert [i for i in tokenizer.encode(text, special=True) if i in (3, 4)] == [4, 3]
    assert tokenizer.end == tokenizer.roles["sep"]


def test_what_is_lost_is_lost_once(tokenizer: WordPieceTokenizer) -> None:
    assert not tokenizer.lossless
    again = tokenizer.decode(tokenizer.encode("The  cat\nis here ."))
    assert again.lower() == "the cat is here."
    assert tokenizer.encode(again) == tokenizer.encode("The  cat\nis here .")


def test_the_file_is_kept_as_it_is(tokenizer: WordPieceTokenizer, saved: Path) -> None:
    copy = load(saved)
    assert isinstance(copy, WordPieceTokenizer)
    assert (copy.fingerprint, copy.special, copy.roles) == (tokenizer.fingerprint, tokenizer.special, tokenizer.roles)
    copy.save(saved / "again")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        assert (saved / "again" / name).read_text(encoding="utf-8") == (saved / name).read_text(encoding="utf-8")
    pickled = pickle.loads(pickle.dumps(copy))
    assert (pickled.encode(TEXT), pickled.fingerprint) == (tokenizer.encode(TEXT), tokenizer.fingerprint)


def test_a_word_is_forgotten_and_found_again(monkeypatch: pytest.MonkeyPatch, tokenizer: WordPieceTokenizer) -> None:
    fresh = pickle.loads(pickle.dumps(tokenizer))
    monkeypatch.setattr(wordpiece_tokenizer, "MAX_WORDS", 3)
    assert fresh.encode(SOURCE) == tokenizer.encode(SOURCE)
    assert len(fresh._chunks) <= 3


def test_the_rules_of_other_files_are_kept(saved: Path) -> None:
    """What can be ours is ours with the same ids; the rest is the library's, and both give its ids."""
    data = json.loads((saved / "tokenizer.json").read_text())
    lower = {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}
    extra = {**data["added_tokens"][0], "content": "<x>", "id": data["model"]["vocab"]["a"]}
    changes: list[tuple[dict[str, Any], type]] = [
        ({"normalizer": lower}, WordPieceTokenizer),
        ({"normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}}, WordPieceTokenizer),
        ({"model": {**data["model"], "max_input_chars_per_word": 3}}, WordPieceTokenizer),
        ({"decoder": {**data["decoder"], "cleanup": False}}, WordPieceTokenizer),
        ({"post_processor": None, "decoder": None}, WordPieceTokenizer),
        ({"pre_tokenizer": {"type": "Whitespace"}}, Delegate),
        ({"normalizer": {"type": "Strip", "strip_left": True, "strip_right": True}}, Delegate),
        ({"added_tokens": [*data["added_tokens"][1:], {**data["added_tokens"][0], "lstrip": True}]}, Delegate),
        ({"added_tokens": [*data["added_tokens"], {**extra, "special": False}]}, Delegate),
    ]
    for change, kind in changes:
        (saved / "tokenizer.json").write_text(json.dumps({**data, **change}))
        ours, reference = load(saved), Reference.from_file(str(saved / "tokenizer.json"))
        assert type(ours) is kind, change
        for text in (TEXT, SOURCE, "aaaa ##s s##s [MASK]<x>"):
            ids = reference.encode(text, add_special_tokens=False).ids
            assert ours.encode(text, special=True) == ids
            assert ours.decode(ids) == reference.decode(ids, skip_special_tokens=False) or not change.get("decoder", 1)
        assert ours.wrap([9])[0] == ([9] if change.get("post_processor", 1) is None else [2, 9, 3])


def test_linear_matching_is_used_and_equals_the_definition(tokenizer: WordPieceTokenizer) -> None:
    for word in set(SOURCE.split()):
        if word.isascii() and word.isalnum() and word.islower():
            plain = match_plainly(word, tokenizer.tokens_to_ids, prefix="##")
            assert tokenizer.encode(word) == ([tokenizer.unknown] if plain is None else plain)


def test_ids_that_are_none(tokenizer: WordPieceTokenizer) -> None:
    with pytest.raises(ValueError, match=f"id 9999 is not one of this tokenizer's {tokenizer.vocab} ids"):
        tokenizer.decode([9999])


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"type": "WordPiece", "vocab": [["a", 1]]}},
        {"model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"a": 0}}},
        {"model": {"type": "WordPiece", "unk_token": "a", "vocab": {"a": "b"}}},
        {"normalizer": "lower"},
        {"pre_tokenizer": [1]},
        {"post_processor": {"type": "Other"}},
        {"added_tokens": [{"content": "a"}]},
    ],
)
def test_a_broken_file_is_one_sentence(saved: Path, change: dict[str, Any]) -> None:
    data = json.loads((saved / "tokenizer.json").read_text())
    model = {**data["model"], **change.get("model", {})}
    (saved / "tokenizer.json").write_text(json.dumps({**data, **change, "model": model}))
    with pytest.raises(UserError, match=r"tokenizer.json: .*; copy the file again from where it came"):
        load(saved)
