"""Byte-level BPE as a table from bytes to ids: what `BPE.train` makes and what GPT-2, cl100k and their like are.

A token's id is its rank: encoding merges, in each piece, the neighbours whose joined bytes have the lowest id, until
none are left. `plain.py` says the same in readable Python; here tiktoken does
the work, with the pattern written so that its engine runs it faster.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.text import plain
from hornbook.text.pretokenize import SplitName
from hornbook.text.pretokenize import split as split_named
from hornbook.text.template import PLAIN

if TYPE_CHECKING:
    import tiktoken


class ByteBPE:
    """A tokenizer that turns every text into ids and back, whatever bytes it is made of."""

    def __init__(
        self, ranks: Mapping[bytes, int], *, split: SplitName, special: Mapping[str, int], end: str | None = None
    ) -> None:
        """A table of tokens; `end` names the special token that ends a document, the first where it is not given."""
        self.ranks = dict(ranks)
        self.split = split_named(split)
        self.special = dict(special)
        self.end = self.special[end or next(iter(self.special))]
        self.vocab = max(*self.ranks.values(), *self.special.values()) + 1
        self.roles = {"eos": self.end, "pad": self.end}
        self.template = PLAIN
        self.kind, self.lossless = "byte-level BPE", True

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; only with `special` does the spelling of a special token become its id."""
        if special:
            return self._engine.encode(text, allowed_special="all")
        return self._engine.encode_ordinary(text)

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[list[int]]:
        """The ids of many texts. In one thread: two made it slower, since every text is too short to share."""
        return [self.encode(text, special=special) for text in texts]

    def wrap(self, ids: Sequence[int], pair: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
        """The ids of one text or two with special tokens around them, and the segment of each id."""
        return self.template.wrap(ids, pair)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; bytes that are no UTF-8 (a character cut in two) become U+FFFD."""
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
        spelled = {i: token.encode() for token, i in self.special.items()}
        return {i: token for token, i in self.ranks.items()} | spelled

    @cached_property
    def merges(self) -> list[tuple[bytes, bytes]]:
        """The pair that each token but the bytes was merged from, in order; found again where it is not remembered."""
        ranked = sorted((i, token) for token, i in self.ranks.items() if len(token) > 1)
        return [plain.halves(token, self.ranks) for _, token in ranked]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides ids."""
        digest = hashlib.sha256(self.split.pattern.encode())
        for i, token in sorted(self.tokens.items()):
            digest.update(b"%d %d %s" % (i, len(token), token))
        digest.update(repr(sorted(self.special.items())).encode())
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json, as Hugging Face reads them."""
        from hornbook.text import files

        files.write(self, folder)

    @cached_property
    def _engine(self) -> "tiktoken.Encoding":
        import tiktoken  # slow to import, and the command line reads recipes without it

        return tiktoken.Encoding(
            "hornbook",
            pat_str=self.split.fast,
            mergeable_ranks=self.ranks,
            special_tokens=self.special,
        )

    def __getstate__(self) -> dict[str, Any]:
        """A worker process gets the tables and builds its own engine."""
        cached = ("_engine", "tokens", "merges", "fingerprint")
        return {key: value for key, value in self.__dict__.items() if key not in cached}
