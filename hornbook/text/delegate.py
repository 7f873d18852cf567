"""A tokenizer.json that is not ours to interpret: the `tokenizers` library encodes and decodes it, rule by rule.

Whatever its normaliser, pre-tokenizer and added tokens do stays as it is. Special tokens around a text come only by
`wrap`, as everywhere. Decoding is the library's too, with one thing added: the bytes of a token that is part of a
character are kept, so that text can be streamed.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import tokenizers

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.text import template
from hornbook.text.alphabet import CHARACTERS, raw
from hornbook.text.plain import whole
from hornbook.text.roles import roles_of

ENDS = ("<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "</s>", "<eos>", "[SEP]")  # tried where no eos_token is named
BYTES = 0x100000  # private use: where a token is one byte, decoding writes this character plus the byte


class Delegate:
    """A tokenizer as `tokenizers` runs it; lossless where it is byte-level, knows every byte and normalises nothing."""

    def __init__(self, data: dict[str, Any], config: dict[str, Any], path: Path) -> None:
        self._data = {**data, "truncation": None, "padding": None}
        self._config = config
        try:
            engine = self._engine
            self.template = template.read(data.get("post_processor"))
            engine.encode(
                "\ufdd0"
            )  # no character: a vocabulary without its token for unknowns fails here and not later
        except Exception as error:  # the library raises bare Exception for every fault of a file
            raise UserError(f"{path}: {error}; copy the file again from where it came") from None
        self.special = {
            token.content: i for i, token in sorted(engine.get_added_tokens_decoder().items()) if token.special
        }
        self.vocab = max(engine.get_vocab(with_added_tokens=True).values()) + 1
        self.end = self._find_end(path)
        self.roles = roles_of(config, self.special) | {"eos": self.end}
        model: str = data["model"].get("type", "BPE")
        self.kind = f"byte-level {model}" if self._byte_level else model
        every_byte = engine.get_vocab(with_added_tokens=False).keys() >= set(CHARACTERS)
        self.lossless = self._byte_level and every_byte and not self._changes_text

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; only with `special` does the spelling of a special token become its id."""
        return self.encode_batch([text], special=special)[0]

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[list[int]]:
        """The ids of many texts, on all cores."""
        engine = self._engine if special else self._literal
        encodings = engine.encode_batch_fast([whole(text) for text in texts], add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def wrap(self, ids: Sequence[int], pair: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
        """The ids of one text or two with special tokens around them, and the segment of each id."""
        return self.template.wrap(ids, pair)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes of some ids."""
        try:
            found = [self.tokens[i] for i in ids]
        except KeyError as error:
            raise ValueError(f"id {error} is not one of this tokenizer's {self.vocab} ids") from None
        if self._byte_level:
            return b"".join(token if isinstance(token, bytes) else token.encode() for token in found)
        decoder, tokens = self._engine.decoder, [_private(token) for token in found]
        return _bytes(decoder.decode(tokens) if decoder else " ".join(tokens))

    @cached_property
    def tokens(self) -> dict[int, str | bytes]:
        """What each id stands for: bytes, or text that a decoder may change (`▁the`, `##s`)."""
        added = {i: token.content for i, token in self._engine.get_added_tokens_decoder().items()}
        vocab = self._engine.get_vocab(with_added_tokens=False)
        return {i: self._meaning(token) for token, i in vocab.items() if i not in added} | added

    def _meaning(self, token: str) -> str | bytes:
        try:  # one that is not spelled in bytes stands for its characters, as in the library
            return raw(token) if self._byte_level else token
        except KeyError:
            return token

    @cached_property
    def _byte_level(self) -> bool:
        return "ByteLevel" in json.dumps([self._data.get("pre_tokenizer"), self._data.get("normalizer")])

    @property
    def _changes_text(self) -> bool:
        normaliser = self._data.get("normalizer") or {"normalizers": []}
        steps = normaliser.get("normalizers", [normaliser])
        strips = any(token["lstrip"] or token["rstrip"] for token in self._data.get("added_tokens") or [])
        return bool(steps) or strips or '"add_prefix_space": true' in json.dumps(self._data["pre_tokenizer"])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides ids."""
        return hashlib.sha256(json.dumps([self._data, self.special], sort_keys=True).encode()).hexdigest()

    def save(self, folder: Path) -> None:
        """Write both files as they were read."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in {"tokenizer.json": self._data, "tokenizer_config.json": self._config}.items():
            write_json(folder / name, data)

    @cached_property
    def _engine(self) -> tokenizers.Tokenizer:
        engine = tokenizers.Tokenizer.from_str(json.dumps(self._data))
        for _, token in sorted(self._config.get("added_tokens_decoder", {}).items(), key=lambda item: int(item[0])):
            added = tokenizers.AddedToken(**token)
            engine.add_special_tokens([added]) if added.special else engine.add_tokens([added])
        return engine

    @cached_property
    def _literal(self) -> tokenizers.Tokenizer:
        """The same, but the spelling of a special token is only text."""
        engine = tokenizers.Tokenizer.from_str(self._engine.to_str())
        engine.encode_special_tokens = True
        return engine

    def _find_end(self, path: Path) -> int:
        named = self._config.get("eos_token")
        named = named["content"] if isinstance(named, dict) else named
        for token in (named, *ENDS):
            if token in self.special:
                return self.special[token]
        raise UserError(f"{path}: no special token that ends a text; name one as eos_token in tokenizer_config.json")

    def __getstate__(self) -> dict[str, Any]:
        """A worker process gets the tables and builds its own engine."""
        return {key: value for key, value in self.__dict__.items() if key not in ("_engine", "_literal", "tokens")}


_BYTE = re.compile("<0x([0-9A-F]{2})>")


def _private(token: str | bytes) -> str:
    """A token for the library's decoder; `<0xE4>` as a character that stands for the byte."""
    assert isinstance(token, str)
    byte = _BYTE.fullmatch(token)
    return chr(BYTES + int(byte[1], 16)) if byte else token


def _bytes(text: str) -> bytes:
    """What the decoder made of it, the bytes put in their places."""
    return b"".join(bytes([ord(c) - BYTES]) if BYTES <= ord(c) < BYTES + 256 else c.encode() for c in text)
