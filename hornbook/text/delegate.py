"""A tokenizer.json that is not ours to interpret: the `tokenizers` library encodes and decodes it, rule by rule.

Whatever its normaliser, pre-tokenizer and added tokens do stays as it is; post-processors, which put special tokens
around a text, are left out, since here the caller says where those go.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import tokenizers

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.text.alphabet import raw
from hornbook.text.plain import whole

ENDS = ("<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "</s>", "<eos>")  # tried where no eos_token is named


class Delegate:
    """A byte-level BPE tokenizer as `tokenizers` runs it."""

    def __init__(self, data: dict[str, Any], config: dict[str, Any], path: Path) -> None:
        self._data = {**data, "truncation": None, "padding": None}
        self._config = config
        if "ByteLevel" not in json.dumps(data.get("pre_tokenizer")):
            raise UserError(
                f"{path}: its pre-tokenizer is not byte-level; give a byte-level BPE tokenizer (GPT-2's kind)"
            )
        try:
            engine = self._engine
        except Exception as error:  # the library raises bare Exception for every fault of a file
            raise UserError(f"{path}: {error}; copy the file again from where it came") from None
        self.special = {
            token.content: i for i, token in sorted(engine.get_added_tokens_decoder().items()) if token.special
        }
        self.vocab = max(engine.get_vocab(with_added_tokens=True).values()) + 1
        self.end = self._find_end(path)

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; only with `special` does the spelling of a special token become its id."""
        return self.encode_batch([text], special=special)[0]

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[list[int]]:
        """The ids of many texts, on all cores."""
        engine = self._engine if special else self._literal
        encodings = engine.encode_batch_fast([whole(text) for text in texts], add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes of some ids."""
        try:
            return b"".join(map(self.tokens.__getitem__, ids))
        except KeyError as error:
            raise ValueError(f"id {error} is not one of this tokenizer's {self.vocab} ids") from None

    @cached_property
    def tokens(self) -> dict[int, bytes]:
        """The bytes of each id, special tokens included."""
        added = {i: token.content.encode() for i, token in self._engine.get_added_tokens_decoder().items()}
        vocab = self._engine.get_vocab(with_added_tokens=False)
        return {i: _bytes(token) for token, i in vocab.items() if i not in added} | added

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
            engine.add_special_tokens([tokenizers.AddedToken(**token)])
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


def _bytes(token: str) -> bytes:
    """The bytes of a token; one that is not spelled in bytes stands for its characters, as in `tokenizers`."""
    try:
        return raw(token)
    except KeyError:
        return token.encode()
