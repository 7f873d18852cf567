"""A tokenizer of SentencePiece's kind: pieces with scores, kinds and rules, whatever algorithm chooses among them.

Kudo and Richardson, 2018. Here stands what the algorithms share: the table, the words that are cut one by one and
remembered, bytes in place of a character that no piece spells (or one unknown token for a run of such), decoding.
`UnigramTokenizer` (unigram_tokenizer.py) looks for the likeliest pieces, `SentencePieceBPE` (sentencepiece_bpe.py)
merges neighbours; both are made by `from_pieces(pieces, scores, kinds, rules=..., end=...)`. The spelling of a control
piece becomes its id only where the caller says so. Left out: spaces as suffixes, and the types `word` and `char`.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from hornbook.text.plain import whole
from hornbook.text.roles import roles_of
from hornbook.text.sentencepiece_rules import MARK, Rules
from hornbook.text.template import PLAIN

ENDS = ("</s>", "<eos>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "[SEP]")  # tried where no end is named
UNKNOWN_TEXT = " ⁇ "  # what an unknown token decodes to, as in SentencePiece
REMEMBERED = 1 << 16  # words whose pieces are kept
LONGEST_REMEMBERED = 48  # characters; longer words are sentences of a language without spaces: they do not come back


class Kind(IntEnum):
    """What a piece is, by the numbers of `.model` files and of GGUF's `tokenizer.ggml.token_type`."""

    NORMAL = 1
    UNKNOWN = 2  # stands for what no piece can spell
    CONTROL = 3  # begins or ends a text; no text can spell it
    USER_DEFINED = 4  # is kept whole wherever a text spells it
    UNUSED = 5
    BYTE = 6  # <0x00> to <0xFF>: a character that no piece spells is written as these


class SentencePiece(ABC):
    """A table of pieces and the rules a text goes through before it is cut into them."""

    algorithm: ClassVar[str]

    def __init__(self, pieces: Sequence[str], scores: Sequence[float], kinds: Sequence[int], *, rules: Rules) -> None:
        if not len(pieces) == len(scores) == len(kinds):
            raise ValueError(
                f"{len(pieces)} pieces, {len(scores)} scores and {len(kinds)} kinds; give every id all three"
            )
        self.pieces, self.scores, self.kinds = tuple(pieces), tuple(scores), tuple(map(Kind, kinds))
        self.rules = rules
        self.vocab = len(self.pieces)
        named = (Kind.CONTROL, Kind.UNKNOWN)
        self.special = {piece: i for i, piece in enumerate(self.pieces) if self.kinds[i] in named}
        if Kind.UNKNOWN not in self.kinds:
            raise ValueError("no piece is of the kind UNKNOWN, which stands for what the others cannot spell")
        self.unknown = self.kinds.index(Kind.UNKNOWN)
        self.end = -1
        self.template = PLAIN
        self.roles: dict[str, int] = {}
        self._remembered: dict[str, Any] = {}

    @classmethod
    def from_pieces(
        cls,
        pieces: Sequence[str],
        scores: Sequence[float],
        kinds: Sequence[int],
        *,
        rules: Rules | None = None,
        end: str | None = None,
    ) -> Self:
        """A tokenizer whose ids are the places in these lists.

        `rules` are SentencePiece's defaults where not given; `end` names the piece that ends a text, else it is the
        first of ENDS that there is. ValueError where the lists differ in length, a kind is no Kind, or no piece ends a
        text or stands for what is unknown.
        """
        literal = frozenset(p for p, kind in zip(pieces, kinds, strict=False) if kind == Kind.USER_DEFINED and p)
        tokenizer = cls(pieces, scores, kinds, rules=(rules or Rules()).keeping(literal))
        for name in (end, *ENDS):
            if name in tokenizer.special or (name is not None and name == end and name in tokenizer.pieces):
                tokenizer.end = tokenizer.pieces.index(name)
                tokenizer.roles = roles_of({"eos_token": name}, tokenizer.special) | {"eos": tokenizer.end}
                return tokenizer
        raise ValueError(f"no piece ends a text: neither {end or 'a named one'} nor any of {', '.join(ENDS)} is there")

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; only with `special` does the spelling of a control piece become its id."""
        text = whole(text)
        if not special or not self.special:
            return self._ids(self.rules.normalize(text))
        ids: list[int] = []
        for i, part in enumerate(self._special.split(text)):
            if i % 2:
                ids.append(self.special[part])
            else:
                ids += self._ids(self.rules.normalize(part))
        return ids

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[list[int]]:
        """The ids of many texts."""
        return [self.encode(text, special=special) for text in texts]

    def wrap(self, ids: Sequence[int], pair: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
        """The ids of one text or two with special tokens around them, and the segment of each id."""
        return self.template.wrap(ids, pair)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; bytes that are no UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes of some ids, without the spaces that the rules put in front."""
        try:
            found = [self.tokens[i] for i in ids]
        except KeyError as error:
            raise ValueError(f"id {error} is not one of this tokenizer's {self.vocab} ids") from None
        for place, i in enumerate(ids if self.rules.squeeze or self.rules.dummy_prefix else ()):
            if self.kinds[i] not in (Kind.NORMAL, Kind.USER_DEFINED):
                break
            found[place] = found[place].removeprefix(b" ")
            if found[place] or not self.rules.squeeze:
                break
        return b"".join(found)

    @property
    def kind(self) -> str:
        """What cuts a text."""
        return self.algorithm

    @property
    def lossless(self) -> bool:
        """Whether every text comes back: no rule changes it, and bytes stand for what no piece spells."""
        return self.rules.lossless and bool(self.byte_ids)

    @cached_property
    def tokens(self) -> dict[int, bytes]:
        """The bytes of each id, special tokens included."""
        return {
            i: self._token(piece, kind) for i, (piece, kind) in enumerate(zip(self.pieces, self.kinds, strict=True))
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides ids."""
        digest = hashlib.sha256(f"{self.algorithm} {self.end}".encode())
        for part in self.rules.decisive():
            digest.update(b"%d %s" % (len(part), part))
        for piece, score, kind in zip(self.pieces, self.scores, self.kinds, strict=True):
            digest.update(f"{len(piece)} {piece} {score!r} {int(kind)}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json for Hugging Face, and tokenizer.model for SentencePiece."""
        from hornbook.text import sentencepiece_json, sentencepiece_model

        sentencepiece_json.write(self, folder)
        sentencepiece_model.write(self, folder / "tokenizer.model")

    @abstractmethod
    def _ids(self, normal: str) -> list[int]:
        """The ids of a text that went through the rules."""

    def words(self, normal: str) -> list[str]:
        """Stretches that no piece reaches across, so that each can be cut by itself."""
        if self._words is None:
            return [normal] if normal else []
        return [word for word in self._words.findall(normal) if word]

    def spelled(self, cut: Iterable[tuple[int, str]]) -> list[int]:
        """The ids of pieces; an unknown one becomes its bytes where the table has them."""
        ids: list[int] = []
        for i, piece in cut:
            if i == self.unknown and self.byte_ids:
                ids += [self.byte_ids[byte] for byte in piece.encode()]
            else:
                ids.append(i)
        return ids

    def without_runs(self, ids: list[int]) -> list[int]:
        """One unknown token for a run of them, as in SentencePiece."""
        if self.byte_ids or self.unknown not in ids:
            return ids
        return [i for place, i in enumerate(ids) if i != self.unknown or place == 0 or ids[place - 1] != i]

    def remember(self, word: str, found: Any) -> None:
        """Keep what was found for a word, until there are too many."""
        if len(word) <= LONGEST_REMEMBERED:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[word] = found

    @cached_property
    def byte_ids(self) -> list[int]:
        """The id of each byte; empty where the table does not have all of them."""
        ids = {piece: i for i, piece in enumerate(self.pieces) if self.kinds[i] == Kind.BYTE}
        found = [ids[name] for name in BYTE_PIECES if name in ids]
        return found if len(found) == len(BYTE_PIECES) else []

    @cached_property
    def spellings(self) -> dict[str, int]:
        """Piece -> id of all that a text can be cut into; of two alike the first counts."""
        kinds = (Kind.NORMAL, Kind.USER_DEFINED, Kind.UNUSED)
        return {p: i for i, p in reversed([*enumerate(self.pieces)]) if self.kinds[i] in kinds and p}

    @cached_property
    def _words(self) -> re.Pattern[str] | None:
        space = self.rules.space
        for pattern in (self.rules.word, rf"{space}*[^{space}]*"):
            if all(re.fullmatch(pattern, piece) for piece in self.spellings):
                return re.compile(pattern)
        return None

    @cached_property
    def _special(self) -> re.Pattern[str]:
        return re.compile(f"({'|'.join(map(re.escape, sorted(self.special, key=len, reverse=True)))})")

    def _token(self, piece: str, kind: Kind) -> bytes:
        if kind == Kind.BYTE:
            return bytes([int(piece[1:-1], 16)])
        if kind == Kind.UNKNOWN:
            return UNKNOWN_TEXT.encode()
        spelled = piece if kind == Kind.CONTROL or not self.rules.marked else piece.replace(MARK, " ")
        return spelled.encode("utf-8", "replace")

    def __getstate__(self) -> dict[str, Any]:
        """A worker process gets the table and remembers words of its own."""
        return {**self.__dict__, "_remembered": {}}


BYTE_PIECES = [f"<0x{byte:02X}>" for byte in range(256)]
