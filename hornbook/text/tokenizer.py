"""What every tokenizer can do, and how to open one that lies in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from hornbook.core.errors import UserError


class Tokenizer(Protocol):
    """Text to ids and back. Whatever the text, `decode(encode(text))` is the text (U+FFFD for a lone surrogate)."""

    vocab: int
    """Number of ids, special tokens included: one more than the highest."""
    special: dict[str, int]
    """Special tokens and their ids."""
    end: int
    """The id that ends a document and a generation."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what decides ids; shards and models keep it, so that no other tokenizer is used with them."""
        ...

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; only with `special` does the spelling of a special token become its id."""
        ...

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[list[int]]:
        """The ids of many texts, faster."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; bytes that are no UTF-8 become U+FFFD."""
        ...

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes of some ids."""
        ...

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json, as Hugging Face reads them."""
        ...


def load(folder: Path) -> Tokenizer:
    """Open a tokenizer: a folder with tokenizer.json or GPT-2's encoder.json and vocab.bpe, or a .tiktoken file."""
    from hornbook.text import files, ranks  # tiktoken and tokenizers: only when a tokenizer is opened

    folder = Path(folder)
    if folder.suffix == ".tiktoken":
        return ranks.read_tiktoken(folder)
    if folder.name == "tokenizer.json":
        folder = folder.parent
    if (folder / "tokenizer.json").is_file():
        return files.read(folder)
    if (folder / "vocab.bpe").is_file():
        return ranks.read_gpt2(folder)
    raise UserError(
        f"{folder}: no tokenizer.json (nor vocab.bpe) in it; train a tokenizer with `hornbook tokenizer train` or "
        "name the folder of one"
    )
