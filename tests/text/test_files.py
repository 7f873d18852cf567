"""tokenizer.json: what is written comes back, Hugging Face reads it with the same ids, broken files are named."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.delegate import Delegate
from hornbook.text.files import as_byte_bpe, describe, read
from hornbook.text.pretokenize import GPT2
from hornbook.text.ranks import read_gpt2, read_tiktoken

TEXT = (
    Path(__file__).read_text(encoding="utf-8").replace("<|", "< |")
    + "天地玄黄\u3000宇宙洪荒 👩\u200d👩\u200d👧 naïve\n\n  end" * 5
)


@pytest.fixture(scope="module", params=["gpt2", "cl100k", "han"])
def tokenizer(request: pytest.FixtureRequest) -> ByteBPE:
    return BPE(vocab=500, split=request.param).train([TEXT])


def test_what_is_written_is_read_back(tokenizer: ByteBPE, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "a" / "b")
    copy = read(tmp_path / "a" / "b")
    assert isinstance(copy, ByteBPE)
    assert (copy.fingerprint, copy.end, copy.special) == (tokenizer.fingerprint, tokenizer.end, tokenizer.special)


def test_transformers_reads_it_with_the_same_ids(tokenizer: ByteBPE, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert theirs(TEXT)["input_ids"] == tokenizer.encode(TEXT)
    marked = "a <|im_start|>user\nb<|im_end|><|endoftext|>"
    assert theirs(marked)["input_ids"] == tokenizer.encode(marked, special=True)
    assert theirs.decode(tokenizer.encode(TEXT)) == TEXT
    assert (theirs.eos_token_id, len(theirs)) == (tokenizer.end, tokenizer.vocab)


def test_the_merges_of_a_file_are_those_that_were_learned(shared_data: Path) -> None:
    """From ranks alone: GPT-2's 50,000 published merges, in order."""
    folder = shared_data / "tokenizers" / "gpt2"
    lines = (folder / "vocab.bpe").read_text(encoding="utf-8").strip().split("\n")[1:]
    assert [" ".join(pair) for pair in describe(read_gpt2(folder))["model"]["merges"]] == lines


def test_files_that_say_more_than_ours_are_delegated(tokenizer: ByteBPE) -> None:
    data = describe(tokenizer)
    flagged = [{**data["added_tokens"][0], "lstrip": True}]
    ordinary = [{**data["added_tokens"][0], "special": False}]
    byte_level = data["pre_tokenizer"]["pretokenizers"][1]
    other_split = {"type": "Split", "pattern": {"Regex": r"\w+|\W+"}, "behavior": "Isolated", "invert": False}
    changes: list[dict[str, Any]] = [
        {"normalizer": {"type": "NFC"}},
        {"added_tokens": flagged},
        {"added_tokens": ordinary},
        {"added_tokens": []},
        {"pre_tokenizer": {**byte_level, "add_prefix_space": True, "use_regex": True}},
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [other_split, byte_level]}},
        {"pre_tokenizer": None},
        {"model": {**data["model"], "dropout": 0.1}},
        {"model": {**data["model"], "merges": data["model"]["merges"][::-1]}},
        {"model": {**data["model"], "merges": data["model"]["merges"][1:]}},
        {"model": {**data["model"], "vocab": {**data["model"]["vocab"], "→": 600}}},
    ]
    assert as_byte_bpe(data, {}) is not None
    assert [as_byte_bpe({**data, **change}, {}) for change in changes] == [None] * len(changes)


def test_gpt2_s_own_pre_tokenizer_is_our_gpt2_split(tokenizer: ByteBPE) -> None:
    data = describe(tokenizer)
    data["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]  # as older files spell them
    ours = as_byte_bpe(data, {"eos_token": "<|im_end|>"})
    assert ours is not None
    assert (ours.split, ours.end) == (GPT2, ours.special["<|im_end|>"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "tokenizer.json: not valid JSON"),
        ("[]", "tokenizer.json: holds a list, not an object"),
        ("{}", "tokenizer.json: describes no tokenizer, it has no model; copy the file again"),
        ('{"model": {"type": "WordPiece", "vocab": {}}}', "tokenizer.json: .*; copy the file"),
        ('{"model": {"type": "Bigram"}}', "tokenizer.json: .*; copy the file"),
        ('{"model": {"type": "BPE"}, "pre_tokenizer": {"type": "ByteLevel"}}', "tokenizer.json: .*; copy the file"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match=sentence):
        read(tmp_path)


def test_a_published_rank_file_becomes_a_tokenizer_json(shared_data: Path, tmp_path: Path) -> None:
    ours = read_tiktoken(shared_data / "tokenizers" / "tiktoken" / "r50k_base.tiktoken")
    ours.save(tmp_path)
    copy = read(tmp_path)
    assert not isinstance(copy, Delegate)
    assert copy.fingerprint == ours.fingerprint
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["eos_token"] == "<|endoftext|>"
