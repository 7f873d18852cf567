"""Tokenizers that are not ours: encoded by the `tokenizers` library with all their rules, under our contract."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as Reference
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from hornbook.core.errors import UserError
from hornbook.text.bpe import BPE
from hornbook.text.delegate import Delegate
from hornbook.text.files import describe
from hornbook.text.stream import StreamDecoder
from hornbook.text.tokenizer import load

TEXT = "Ｆｕｌｌ width, naïve <|endoftext|> 天地玄黄 👩\u200d👩\u200d👧\n"  # noqa: RUF001 - wide letters are meant


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tokenizer with a normaliser and one with a token that is added but not special."""
    data = describe(BPE(vocab=300).train([TEXT * 5]))
    data["normalizer"] = {"type": "NFKC"}
    data["added_tokens"].append({**data["added_tokens"][0], "id": 300, "content": "<think>", "special": False})
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    return tmp_path


def test_the_rules_of_the_file_are_kept(folder: Path) -> None:
    tokenizer = load(folder)
    reference = Reference.from_file(str(folder / "tokenizer.json"))
    assert isinstance(tokenizer, Delegate)
    assert tokenizer.encode(TEXT, special=True) == reference.encode(TEXT).ids
    reference.encode_special_tokens = True
    assert tokenizer.encode(TEXT) == reference.encode(TEXT).ids
    assert tokenizer.decode(tokenizer.encode(TEXT)).startswith("Full width")
    assert tokenizer.encode("<think>") == [300]
    assert "<think>" not in tokenizer.special
    assert tokenizer.vocab == 301


def test_a_token_that_is_only_added_is_read_wherever_it_is_spelled(shared_data: Path) -> None:
    from transformers import AutoTokenizer

    folder = shared_data / "tokenizers" / "minimind"  # its configuration names the tokens once more
    tokenizer, theirs = load(folder), AutoTokenizer.from_pretrained(folder)
    assert tokenizer.encode("a<tool_call>") == theirs("a<tool_call>")["input_ids"]
    assert tokenizer.encode("<tool_call>") == [21]
    assert "<tool_call>" not in tokenizer.special
    assert len(tokenizer.encode("<|im_end|>")) > 1


def test_special_tokens_only_when_asked(folder: Path) -> None:
    tokenizer = load(folder)
    assert tokenizer.end == tokenizer.special["<|endoftext|>"]
    assert tokenizer.end not in tokenizer.encode(TEXT)
    assert tokenizer.end in tokenizer.encode(TEXT, special=True)
    assert tokenizer.decode(tokenizer.encode(TEXT)) == tokenizer.decode(tokenizer.encode(TEXT, special=True))


def test_surrogates_batches_and_copies(folder: Path) -> None:
    tokenizer = load(folder)
    assert tokenizer.decode(tokenizer.encode("a\ud83d\ude00\ud800")) == "a😀\ufffd"
    assert tokenizer.encode_batch(["a", TEXT]) == [tokenizer.encode("a"), tokenizer.encode(TEXT)]
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert (copy.encode(TEXT), copy.fingerprint) == (tokenizer.encode(TEXT), tokenizer.fingerprint)
    with pytest.raises(ValueError, match="id 999 is not one of this tokenizer's 301 ids"):
        tokenizer.decode([999])


def test_saving_keeps_the_file(folder: Path, tmp_path: Path) -> None:
    tokenizer = load(folder)
    tokenizer.save(tmp_path / "copy")
    assert load(tmp_path / "copy").fingerprint == tokenizer.fingerprint


def test_no_token_that_ends_a_text(folder: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text())
    data["added_tokens"] = [{**data["added_tokens"][0], "content": "<mine>"}]
    (folder / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match="no special token that ends a text; name one as eos_token"):
        load(folder)
    (folder / "tokenizer_config.json").write_text('{"eos_token": {"content": "<mine>"}}')
    assert load(folder).end == data["added_tokens"][0]["id"]


def test_lossless_is_said_only_where_every_text_comes_back(folder: Path, shared_data: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text())
    data["added_tokens"][0]["lstrip"] = True
    byte_level = data["pre_tokenizer"]["pretokenizers"][1]
    plain: dict[str, Any] = {**data, "normalizer": None, "added_tokens": data["added_tokens"][1:]}
    spaced = {"type": "Sequence", "pretokenizers": [{**byte_level, "add_prefix_space": True, "use_regex": True}]}
    changes = [{}, {"normalizer": {"type": "Sequence", "normalizers": []}}, {"normalizer": {"type": "NFC"}}]
    changes += [{"added_tokens": data["added_tokens"]}, {"pre_tokenizer": spaced}]
    config = {"eos_token": "<|im_end|>"}
    assert [Delegate({**plain, **change}, config, folder).lossless for change in changes] == [True, True, *[False] * 3]
    titan = load(shared_data / "tokenizers" / "torchtitan_small")  # its vocabulary has no token for a space
    assert (titan.lossless, titan.decode(titan.encode("a b"))) == (False, "ab")


def test_pieces_of_words_with_bytes_for_the_rest() -> None:
    """Llama 2's kind: a space is put in front and shown as a sign, characters without a token are spelled in bytes."""
    reference = Reference(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    reference.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    reference.decoder = decoders.Sequence(steps)
    special = ["<unk>", "<s>", "</s>"]
    every_byte = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=[*special, *every_byte], show_progress=False)
    reference.train_from_iterator(["the cat sat on the mat " * 5, "naïve cats"], trainer)
    data = json.loads(reference.to_str())
    data["added_tokens"] = data["added_tokens"][:3]
    reference, tokenizer = Reference.from_str(json.dumps(data)), Delegate(data, {}, Path("tokenizer.json"))
    ids = tokenizer.encode("the cat  中 sat 😀")
    assert (tokenizer.kind, tokenizer.lossless, tokenizer.end) == ("BPE", False, 2)
    assert tokenizer.decode(ids) == reference.decode(ids) == "the cat  中 sat 😀"
    assert tokenizer.decode_bytes(ids[-2:]) == "😀".encode()[-2:]
    stream = StreamDecoder(tokenizer)
    assert "".join([*map(stream.push, ids), stream.flush()]) == "the cat  中 sat 😀"
    assert tokenizer.roles == {"unk": 0, "bos": 1, "eos": 2}


def test_a_word_level_tokenizer() -> None:
    reference = Reference(models.WordLevel({"<unk>": 0, "</s>": 1, "a": 2, "b": 3}, unk_token="<unk>"))
    reference.pre_tokenizer = pre_tokenizers.Whitespace()
    reference.add_special_tokens(["<unk>", "</s>"])
    tokenizer = Delegate(json.loads(reference.to_str()), {}, Path("tokenizer.json"))
    assert tokenizer.encode("a c b") == [2, 0, 3]
    assert tokenizer.decode([2, 0, 3]) == reference.decode([2, 0, 3], skip_special_tokens=False) == "a <unk> b"
    assert tokenizer.wrap([2]) == ([2], [0])


@pytest.mark.parametrize("name", ["minimind", "torchtitan_small"])
def test_published_tokenizers(shared_data: Path, name: str) -> None:
    folder = shared_data / "tokenizers" / name
    tokenizer = load(folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    assert tokenizer.special[config["eos_token"]] == tokenizer.end
    for file in ("tinyshakespeare/input.txt", "chinese-poetry/论语__lunyu.json"):
        text = (shared_data / "text" / file).read_text(encoding="utf-8")[:50000]
        reference = Reference.from_file(str(folder / "tokenizer.json"))
        assert tokenizer.encode(text) == reference.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(tokenizer.encode(text)) == reference.decode(tokenizer.encode(text))
