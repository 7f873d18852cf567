"""BERT's vocab.txt: read with the flags beside it as transformers reads it, written back, broken ones named."""

import json
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.text.tokenizer import load
from hornbook.text.vocab_txt import obstacle, read, read_file
from hornbook.text.wordpiece import WordPiece

TOKENS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "cafe",
    "Cafe",
    "café",
    "中",
    "##中",
    "\u2028",
    "##s",
    "中国",
    ",",
]
TEXT = "Cafe Café cafés, 中国"


def folder_of(folder: Path, config: dict[str, object] | None, tokens: list[str] = TOKENS) -> Path:
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    "config",
    [
        None,
        {},
        {"do_lower_case": False},
        {"do_lower_case": True, "strip_accents": False},
        {"do_lower_case": False, "strip_accents": True},
        {"tokenize_chinese_chars": False},
    ],
)
def test_the_flags_mean_what_they_mean_to_transformers(tmp_path: Path, config: dict[str, object] | None) -> None:
    from transformers import BertTokenizer

    ours, theirs = load(folder_of(tmp_path, config)), BertTokenizer.from_pretrained(tmp_path)
    assert ours.wrap(ours.encode(TEXT))[0] == theirs(TEXT)["input_ids"]
    assert ours.vocab == len(theirs) == len(TOKENS)


def test_the_id_is_the_line(tmp_path: Path) -> None:
    tokenizer = read(folder_of(tmp_path, None))
    assert tokenizer.tokens_to_ids == {token: i for i, token in enumerate(TOKENS)}
    assert read_file(tmp_path / "vocab.txt").fingerprint == load(tmp_path / "vocab.txt").fingerprint
    assert tokenizer.special == {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}


def test_other_names_for_special_tokens(tmp_path: Path) -> None:
    tokens = ["<unk>", "<s>", "</s>", "a"]
    config = {"unk_token": "<unk>", "cls_token": {"content": "<s>"}}
    (tmp_path / "special_tokens_map.json").write_text('{"sep_token": "</s>"}')
    tokenizer = read(folder_of(tmp_path, config, tokens))
    assert tokenizer.wrap(tokenizer.encode("a b")) == ([1, 3, 0, 2], [0, 0, 0, 0])


def test_a_vocabulary_of_another_name(shared_data: Path) -> None:
    tokenizer = load(shared_data / "tokenizers" / "bert" / "bert_base_uncased_vocab.txt")
    assert tokenizer.vocab == 30522
    assert tokenizer.wrap(tokenizer.encode("Hello, world!"))[0] == [101, 7592, 1010, 2088, 999, 102]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    tokenizer = WordPiece(vocab=60, alphabet=20).train(["a b c ab abc"] * 3)
    assert obstacle(tokenizer) is None
    tokenizer.tokens_to_ids["gap"] = 99
    assert "ids leave gaps" in str(obstacle(tokenizer))
    tokenizer.tokens_to_ids["gap"] = tokenizer.vocab
    tokenizer.vocab += 1
    assert obstacle(tokenizer) is None
    tokenizer.tokens_to_ids["a\nb"] = tokenizer.tokens_to_ids.pop("gap")
    assert "a token with a line end in it" in str(obstacle(tokenizer))


def test_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"vocab.txt: holds no \[UNK\], the token for unknown words"):
        read(folder_of(tmp_path, None, ["a"]))
    with pytest.raises(UserError, match=r"vocab.txt: holds no <u>, the token for unknown words"):
        read(folder_of(tmp_path, {"unk_token": "<u>"}))
    (tmp_path / "vocab.txt").write_bytes(b"[UNK]\n\xff\n")
    with pytest.raises(UserError, match=r"vocab.txt: not UTF-8 text .* at byte 6"):
        read(tmp_path)
    (tmp_path / "vocab.txt").write_bytes(b"")
    with pytest.raises(UserError, match="holds no"):
        read(tmp_path)
