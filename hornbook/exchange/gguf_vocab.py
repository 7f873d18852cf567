"""A tokenizer as the metadata of a GGUF file, as llama.cpp's converter writes it (`_set_vocab_gpt2`, `_sentencepiece`).

Byte-level BPE needs a cut that has a name (gguf_cuts.py); SentencePiece's BPE goes in as it is. A table shorter than
the model's is filled up with unused tokens.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hornbook.core.errors import UserError
from hornbook.exchange.gguf_cuts import name_of
from hornbook.exchange.gguf_tokenizer import KEY, ROLES
from hornbook.text.chat import Renderer
from hornbook.text.sentencepiece import Kind
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from hornbook.text.sentencepiece_rules import MARK
from hornbook.text.tokenizer import Tokenizer

Table = dict[str, Any]  # without KEY


def metadata_of(tokenizer: Tokenizer, vocab: int, *, roles: Mapping[str, int], chat: Renderer | None) -> dict[str, Any]:
    """The keys of a tokenizer, for a model of so many ids; `roles` are what the model knows better (bos)."""
    table = _pieces(tokenizer) if isinstance(tokenizer, SentencePieceBPE) else _byte_level(tokenizer)
    _fill(table, vocab)
    ids = {**tokenizer.roles, **roles}
    table |= {f"{theirs}_token_id": ids[role] for role, theirs in ROLES.items() if role in ids}
    table["add_bos_token"] = tokenizer.wrap([-1])[0][0] != -1
    table["add_eos_token"] = False
    if chat is None:
        return {KEY + key: value for key, value in table.items()}
    for stop in chat.ends - {tokenizer.end}:
        table["eot_token_id"] = stop  # ends an answer, not a text
    return {**{KEY + key: value for key, value in table.items()}, "tokenizer.chat_template": chat.source}


def _pieces(tokenizer: SentencePieceBPE) -> Table:
    rules = tokenizer.rules
    if rules.charsmap or not rules.marked:
        raise UserError(f"tokenizer: GGUF cannot say its normaliser ({rules.name}); save the model as a folder")
    own = Kind.USER_DEFINED
    pairs = zip(tokenizer.pieces, tokenizer.kinds, strict=True)
    return {
        "model": "llama",
        "pre": "default",
        "tokens": [piece.replace(MARK, " ") if kind == own else piece for piece, kind in pairs],
        "scores": list(tokenizer.scores),
        "token_type": [int(kind) for kind in tokenizer.kinds],
        "add_space_prefix": rules.dummy_prefix,
        "remove_extra_whitespaces": rules.squeeze,
    }


def _byte_level(tokenizer: Tokenizer) -> Table:
    """From the tokenizer.json that it writes, which every byte-level BPE has."""
    with TemporaryDirectory() as folder:
        tokenizer.save(Path(folder))
        data = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))
    model, added = data["model"], data["added_tokens"]
    if model["type"] != "BPE" or "ByteLevel" not in json.dumps(data["pre_tokenizer"]):
        raise UserError(f"tokenizer: {model['type']}; GGUF of these families has byte-level BPE or SentencePiece's BPE")
    name = name_of(data["pre_tokenizer"])
    if name is None or (data["normalizer"] or {"type": "NFC"})["type"] != "NFC":  # composing is part of the cut's name
        raise UserError(
            "tokenizer: GGUF has no name for the way it cuts or normalises text; save the model as a folder"
        )
    kinds = {each["content"]: Kind.CONTROL if each["special"] else Kind.USER_DEFINED for each in added}
    ids = {**model["vocab"], **{each["content"]: each["id"] for each in added}}
    tokens = [f"[PAD{i}]" for i in range(max(ids.values()) + 1)]
    for token, i in ids.items():
        tokens[i] = token
    known = [kinds.get(token, Kind.NORMAL) if token in ids else Kind.UNUSED for token in tokens]
    return {
        "model": "gpt2",
        "pre": name,
        "tokens": tokens,
        "token_type": [int(kind) for kind in known],
        "merges": [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]],
    }


def _fill(table: Table, vocab: int) -> None:
    """Unused tokens up to the model's number of ids."""
    tokens: list[str] = table["tokens"]
    if len(tokens) > vocab:
        raise UserError(f"tokenizer: has {len(tokens)} ids and the model {vocab}; it is not this model's tokenizer")
    missing = range(len(tokens), vocab)
    table["tokens"] = tokens + [f"[PAD{i}]" for i in missing]
    table["token_type"] = table["token_type"] + [int(Kind.UNUSED)] * len(missing)
    if "scores" in table:
        table["scores"] = table["scores"] + [-1000.0] * len(missing)  # as the converter does
