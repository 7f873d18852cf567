"""ESM's tokenizer: a protein's letters are its tokens, between <cls> and <eos> (Rives et al. 2021; Lin et al. 2023).

Its vocab.txt holds the twenty residues, the letters for those that are rare or not sure (X, B, U, Z, O), gaps, and the
special tokens. Spaces mean nothing; what is no letter of the vocabulary is one <unk> for each stretch of it.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from hornbook.core.files import write_json, write_text
from hornbook.text.template import Part, Template

CLASS = "EsmTokenizer"  # what tokenizer_config.json calls it
ROLES = {"pad": "<pad>", "unk": "<unk>", "cls": "<cls>", "eos": "<eos>", "mask": "<mask>"}


class ResidueTokenizer:
    """One letter, one id.

    >>> tokenizer = ResidueTokenizer(["<cls>", "<pad>", "<eos>", "<unk>", "L", "A", "<mask>"])
    >>> tokenizer.encode("LA AL"), tokenizer.encode("L<mask>A", special=True), tokenizer.encode("Ljj A")
    ([4, 5, 5, 4], [4, 6, 5], [4, 3, 5])
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = list(tokens)
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        self.special = {token: i for token, i in self._ids.items() if len(token) > 1}
        self.vocab, self.kind, self.lossless = len(self.tokens), "residues", False
        self.roles: Mapping[str, int] = {role: self._ids[token] for role, token in ROLES.items() if token in self._ids}
        self.end, self._unknown = self.roles["eos"], self.roles["unk"]
        begin, end = Part("<cls>", 0, (self.roles["cls"],)), Part("<eos>", 0, (self.end,))
        self._template = Template((begin, Part("A", 0), end), (begin, Part("A", 0), end, Part("B", 0), end))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the vocabulary."""
        return hashlib.sha256(json.dumps(self.tokens).encode()).hexdigest()

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a protein; only with `special` does the spelling of a special token become its id."""
        known = {token: i for token, i in self._ids.items() if special or token not in self.special}
        pieces = re.split(f"({'|'.join(map(re.escape, sorted(known, key=len, reverse=True)))}|\\s+)", text)
        return [known.get(piece, self._unknown) for piece in pieces if piece.strip()]

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[list[int]]:
        """The ids of many proteins."""
        return [self.encode(text, special=special) for text in texts]

    def wrap(self, ids: Sequence[int], pair: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
        """<cls> ids <eos>, and the segment of each, which is 0."""
        return self._template.wrap(ids, pair)

    def decode(self, ids: Sequence[int]) -> str:
        """The letters."""
        for i in ids:
            if not 0 <= i < self.vocab:
                raise ValueError(f"id {i} is not one of this tokenizer's {self.vocab} ids")
        return "".join(self.tokens[i] for i in ids)

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The letters, as bytes."""
        return self.decode(ids).encode()

    def save(self, folder: Path) -> None:
        """Write vocab.txt and tokenizer_config.json, the only files that ESM's tokenizer has."""
        write_text(folder / "vocab.txt", "".join(f"{token}\n" for token in self.tokens))
        names = {f"{role}_token": ROLES[role] for role in self.roles}
        write_json(folder / "tokenizer_config.json", {"tokenizer_class": CLASS, **names})


def claims(config: Mapping[str, Any]) -> bool:
    """Whether a tokenizer_config.json is one of these."""
    return config.get("tokenizer_class") == CLASS
