"""What every tokenizer can do, and how to open one, whichever files it lies in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from hornbook.core.errors import UserError


class Tokenizer(Protocol):
    """Text to ids and back."""

    vocab: int
    """Number of ids, special tokens included: one more than the highest."""
    special: dict[str, int]
    """Special tokens and their ids."""
    end: int
    """The id that ends a document and a generation."""

    @property
    def kind(self) -> str:
        """The algorithm in a word or two, for a person: byte-level BPE, WordPiece, Unigram ..."""
        ...

    @property
    def lossless(self) -> bool:
        """Whether `decode(encode(text))` is the text, whatever the text (U+FFFD for a lone surrogate).

        Byte-level BPE is. A tokenizer that normalises (BERT's drops case, accents and line ends) or knows only some
        characters is not: what it gives back is another text, which it encodes to the same ids.
        """
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what decides ids; shards and models keep it, so that no other tokenizer is used with them."""
        ...

    @property
    def roles(self) -> Mapping[str, int]:
        """The ids that a model asks for by what they do: those there are of pad, unk, bos, eos, cls, sep and mask."""
        ...

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text; only with `special` does the spelling of a special token become its id."""
        ...

    def encode_batch(self, texts: list[str], *, special: bool = False) -> list[list[int]]:
        """The ids of many texts, faster."""
        ...

    def wrap(self, ids: Sequence[int], pair: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
        """The ids of a text, or of two, with the special tokens around them that its model wants; and their segments.

        BERT: `[CLS] ids [SEP] pair [SEP]`, segment 0 up to the first `[SEP]`, then 1. Others may add nothing.
        """
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids; bytes that are no UTF-8 become U+FFFD."""
        ...

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes of some ids, the first of which is taken to begin a text: the space before its word is dropped
        where the tokenizer adds such spaces. The bytes of more ids begin with those of fewer, so text can be streamed.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json, as Hugging Face reads them."""
        ...


def load(path: Path) -> Tokenizer:
    """Open a tokenizer: a folder with one of the files below, or such a file itself.

    In this order: tokenizer.json, GPT-2's encoder.json + vocab.bpe, BERT's vocab.txt, SentencePiece's tokenizer.model
    or spiece.model; and a .tiktoken file by name.
    """
    # tiktoken and tokenizers: only when a tokenizer is opened
    from hornbook.text import files, ranks, sentencepiece_model, vocab_txt

    path = Path(path)
    if path.suffix == ".tiktoken":
        return ranks.read_tiktoken(path)
    folder = path.parent if path.is_file() else path
    known = {"tokenizer.json": files.read, "vocab.bpe": ranks.read_gpt2, "vocab.txt": vocab_txt.read}
    known |= sentencepiece_model.IN_FOLDERS
    for name, read in known.items():
        if path == folder / name or (path == folder and (folder / name).is_file()):
            return read(folder)
    other_names = {".txt": vocab_txt.read_file, ".json": files.read_file, ".model": sentencepiece_model.read}
    if path.is_file() and path.suffix in other_names:
        return other_names[path.suffix](path)
    raise UserError(
        f"{path}: no {' nor '.join(known)} there; train a tokenizer with `hornbook tokenizer train` or name the "
        "folder of one"
    )
