"""Rank files: sizes and special tokens as published, and one sentence for what is broken."""

import base64
import json
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.text.alphabet import BYTES, CHARACTERS
from hornbook.text.ranks import read_gpt2, read_tiktoken


def test_published_sizes(shared_data: Path) -> None:
    folder = shared_data / "tokenizers"
    gpt2, r50k = read_gpt2(folder / "gpt2"), read_tiktoken(folder / "tiktoken" / "r50k_base.tiktoken")
    cl100k = read_tiktoken(folder / "tiktoken" / "cl100k_base.tiktoken")
    assert (gpt2.vocab, gpt2.end, gpt2.fingerprint) == (50257, 50256, r50k.fingerprint)
    assert (len(cl100k.ranks), cl100k.vocab, cl100k.end) == (100256, 100277, 100257)


def test_a_rank_file_of_one_s_own(tmp_path: Path) -> None:
    tokens = [*(bytes([byte]) for byte in BYTES), b"ab", b" ab"]
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(tokens)]
    path = tmp_path / "cl100k_base.tiktoken"
    path.write_text("".join(lines))
    assert read_tiktoken(path).encode("ab ab") == [256, 257]
    path.write_text("".join([*lines, "not-base64 x\n"]))
    with pytest.raises(UserError, match=r"cl100k_base.tiktoken:259: 'not-base64 x' is not base64 and a rank"):
        read_tiktoken(path)


def test_a_pair_of_files_in_gpt2_s_way(tmp_path: Path) -> None:
    ids = {character: i for i, character in enumerate(CHARACTERS)} | {"ab": 256, "Ġab": 257, "<|endoftext|>": 258}
    (tmp_path / "vocab.bpe").write_text("#version: 0.2\na b\nĠ ab\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"encoder.json: no such file"):
        read_gpt2(tmp_path)
    (tmp_path / "encoder.json").write_text(json.dumps(ids))
    assert read_gpt2(tmp_path).encode("ab ab") == [256, 257]
    assert read_gpt2(tmp_path).end == 258
    (tmp_path / "vocab.bpe").write_text("#version: 0.2\nĠ ab\na b\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"its merges are not in the order of encoder.json's ids"):
        read_gpt2(tmp_path)
    (tmp_path / "encoder.json").write_text("[1]")
    with pytest.raises(UserError, match="not GPT-2's vocabulary"):
        read_gpt2(tmp_path)


def test_files_that_are_not_there_or_not_known(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"p50k_base.tiktoken: no such file"):
        read_tiktoken(tmp_path / "p50k_base.tiktoken")
    with pytest.raises(UserError, match=r"mine.tiktoken: not one of r50k_base, p50k_base, cl100k_base"):
        read_tiktoken(tmp_path / "mine.tiktoken")
