"""Rank files: OpenAI's ways to write byte-level BPE down, GPT-2's encoder.json + vocab.bpe and tiktoken's *.tiktoken.

A .tiktoken file has a line for each token, its bytes in base64 and its rank, and no pattern and no special tokens:
those belong to the name (`cl100k_base`), so only files of a known name can be opened.
"""

import base64
import binascii
import json
from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.text.alphabet import raw
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.pretokenize import SplitName

END = "<|endoftext|>"

# The pattern and the special tokens of each name, as published in tiktoken.
NAMES: dict[str, tuple[SplitName, dict[str, int]]] = {
    "r50k_base": ("gpt2", {"<|endoftext|>": 50256}),
    "p50k_base": ("gpt2", {"<|endoftext|>": 50256}),
    "cl100k_base": (
        "cl100k",
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
}


def read_tiktoken(path: Path) -> ByteBPE:
    """Open a .tiktoken file."""
    if path.stem not in NAMES:
        raise UserError(
            f"{path}: not one of {', '.join(NAMES)}, whose patterns are known; rename it or use tokenizer.json"
        )
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line:  # the end of the file
            continue
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            raise UserError(f"{path}:{number}: {line[:40]!r} is not base64 and a rank; copy the file again") from None
    name, special = NAMES[path.stem]
    return ByteBPE(ranks, split=name, special=special)


def read_gpt2(folder: Path) -> ByteBPE:
    """Open a folder with GPT-2's encoder.json and vocab.bpe."""
    path = folder / "encoder.json"
    if not path.is_file():
        raise UserError(f"{path}: no such file, and vocab.bpe alone names no ids; put encoder.json beside it")
    try:
        ids = json.loads(path.read_text(encoding="utf-8"))
        special = {END: ids[END]}
        ranks = {raw(token): i for token, i in ids.items() if token not in special}
        merges = ["".join(line.split()) for line in _lines(folder / "vocab.bpe")[1:] if line]
        ordered = sorted(ids[token] for token in merges) == [ids[token] for token in merges]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not GPT-2's vocabulary ({error}); copy encoder.json and vocab.bpe again") from None
    if not ordered:
        raise UserError(
            f"{folder / 'vocab.bpe'}: its merges are not in the order of encoder.json's ids; copy both again"
        )
    return ByteBPE(ranks, split="gpt2", special=special)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; name a .tiktoken file or a folder with tokenizer.json") from None
