"""Rank files: OpenAI's ways to write byte-level BPE down, GPT-2's encoder.json + vocab.bpe and tiktoken's *.tiktoken.

A .tiktoken file has a line for each token, its bytes in base64 and its rank, and no pattern and no special tokens:
those belong to the name (`cl100k_base`). So a file has a known name, or beside it a .json of the same name that has
both, under the names of `tiktoken.Encoding`'s arguments; that is what we write for tokenizers of our own.
"""

import base64
import binascii
import json
from pathlib import Path
from typing import TYPE_CHECKING

from hornbook.core.errors import UserError
from hornbook.core.files import read_json, write_json, write_text
from hornbook.text.alphabet import raw, visible
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.pretokenize import SplitName, named

if TYPE_CHECKING:
    from hornbook.text.tokenizer import Tokenizer

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
    name, special = _rules(path)
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line:  # the end of the file
            continue
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            raise UserError(f"{path}:{number}: {line[:40]!r} is not base64 and a rank; copy the file again") from None
    return ByteBPE(ranks, split=name, special=special)


def _rules(path: Path) -> tuple[SplitName, dict[str, int]]:
    """The split and the special tokens of a .tiktoken file."""
    beside = path.with_suffix(".json")
    if path.stem in NAMES:
        return NAMES[path.stem]
    if not beside.is_file():
        raise UserError(
            f"{path}: not one of {', '.join(NAMES)}, whose patterns are known; rename it, put a {beside.name} with "
            "pat_str and special_tokens beside it, or use tokenizer.json"
        )
    rules = read_json(beside)
    split = named(rules.get("pat_str", "")) if isinstance(rules, dict) else None
    if split is None or not rules.get("special_tokens"):
        raise UserError(
            f"{beside}: wants special_tokens and, as pat_str, the pattern of gpt2, cl100k or han; use tokenizer.json "
            "for other patterns"
        )
    return split, rules["special_tokens"]


def tiktoken_obstacle(tokenizer: "Tokenizer") -> str | None:
    """Why a .tiktoken file cannot hold a tokenizer; None where it can."""
    if isinstance(tokenizer, ByteBPE):
        return None
    return f"holds byte-level BPE whose ids are the order of its merges, and this one is {tokenizer.kind}"


def write_tiktoken(tokenizer: "Tokenizer", folder: Path) -> None:
    """Write a .tiktoken file, under the name of its pattern and special tokens or, if they have none, as ours."""
    assert isinstance(tokenizer, ByteBPE)
    known = (tokenizer.split.name, tokenizer.special)
    name = next((name for name, rules in NAMES.items() if rules == known), "tokenizer")
    ranked = sorted((rank, token) for token, rank in tokenizer.ranks.items())
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in ranked]
    write_text(folder / f"{name}.tiktoken", "".join(lines))
    if name == "tokenizer":
        write_json(
            folder / f"{name}.json",
            {"name": name, "pat_str": tokenizer.split.pattern, "special_tokens": tokenizer.special},
        )


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


def gpt2_obstacle(tokenizer: "Tokenizer") -> str | None:
    """Why GPT-2's two files cannot hold a tokenizer; None where they can."""
    if not isinstance(tokenizer, ByteBPE):
        return f"holds byte-level BPE whose ids are the order of its merges, and this one is {tokenizer.kind}"
    if tokenizer.split.name != "gpt2":
        return f"has no place for a pattern, GPT-2's is meant, and this tokenizer cuts text as {tokenizer.split.name}"
    if set(tokenizer.special) != {END}:
        return f"has one special token, {END}, and this tokenizer has {', '.join(tokenizer.special)}"
    return None


def write_gpt2(tokenizer: "Tokenizer", folder: Path) -> None:
    """Write GPT-2's encoder.json and vocab.bpe."""
    assert isinstance(tokenizer, ByteBPE)
    ids = {visible(token): i for token, i in tokenizer.ranks.items()} | tokenizer.special
    write_text(folder / "encoder.json", json.dumps(dict(sorted(ids.items(), key=lambda item: item[1]))))
    merges = [" ".join(map(visible, pair)) for pair in tokenizer.merges]
    write_text(folder / "vocab.bpe", "\n".join(["#version: 0.2", *merges, ""]))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; name a .tiktoken file or a folder with tokenizer.json") from None
