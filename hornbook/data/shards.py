"""Token ids on disk, memory-mapped: what training reads, however large the corpus is.

A folder holds manifest.json and for each split two files: `train.ids`, all documents' ids one after another (uint16, or
uint32 for a vocabulary over 65,536), each document followed by the tokenizer's end id; and `train.documents`, one row
of three int64 a document and one at the end: where its tokens, its name and its text begin. `train.names` holds the
names. Nothing is ever loaded whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hornbook.core.errors import UserError
from hornbook.core.files import read_json

VERSION = 1
SPLITS = ("train", "validation")
TOKENS, NAMES, TEXT = range(3)  # columns of the document table


@dataclass(frozen=True)
class Split:
    """One split: ids of every document, and which document a token belongs to."""

    name: str
    folder: Path
    ids: NDArray[Any]
    """(tokens,) uint16 or uint32, read-only."""
    table: NDArray[np.int64]
    """(documents + 1, 3): first token, first byte of the name, first byte of the text."""
    names: NDArray[np.uint8]
    end: int
    """The id after every document."""
    fingerprint: str
    """Hash of the ids: what a plan made from them depends on."""
    characters: int
    """Characters of the text, for messages."""

    @property
    def tokens(self) -> int:
        """Number of ids, end ids included."""
        return len(self.ids)

    @property
    def documents(self) -> int:
        """Number of documents."""
        return len(self.table) - 1

    @property
    def bytes(self) -> int:
        """UTF-8 bytes of the text: what bits per byte divides by."""
        return int(self.table[-1, TEXT])

    def span(self, document: int) -> tuple[int, int]:
        """First token of a document and the token after its end id."""
        return int(self.table[document, TOKENS]), int(self.table[document + 1, TOKENS])

    def text_bytes(self, document: int) -> int:
        """UTF-8 bytes of a document's text."""
        return int(self.table[document + 1, TEXT] - self.table[document, TEXT])

    def document_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The document each token position belongs to, by binary search: any shape in, the same shape out."""
        found: NDArray[np.int64] = np.searchsorted(self.table[:, TOKENS], positions, side="right") - 1
        return found

    def document_name(self, document: int) -> str:
        """The id the document has in the corpus, such as `json/decoder.py`."""
        start, stop = self.table[document : document + 2, NAMES]
        return self.names[start:stop].tobytes().decode(errors="surrogateescape")

    def require(self, length: int) -> None:
        """Raise UserError where the split is shorter than one window of `length` tokens and its target."""
        if self.tokens < length + 1:
            raise UserError(
                f"{self.folder}: the {self.name} split has {self.tokens} tokens ({self.characters} characters), a "
                f"window of length {length} wants {length + 1}; give more text or set a length below {self.tokens}"
            )


@dataclass(frozen=True)
class Shards:
    """A folder of token ids and what it says about itself."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def tokenizer(self) -> str:
        """Fingerprint of the tokenizer that made the ids."""
        return str(self.manifest["tokenizer"])

    @property
    def vocab(self) -> int:
        """Number of ids there can be."""
        return int(self.manifest["vocab"])

    @property
    def train(self) -> Split:
        """The split to train on."""
        return self.split("train")

    @property
    def validation(self) -> Split:
        """The held-out split."""
        return self.split("validation")

    def split(self, name: str) -> Split:
        """Map a split into memory; costs no reading."""
        entry = self.manifest["splits"][name]
        for file in entry["files"]:
            path = self.folder / file["name"]
            found = path.stat().st_size if path.exists() else None
            if found != file["bytes"]:
                state = "is missing" if found is None else f"has {found} bytes instead of {file['bytes']}"
                raise UserError(f"{path}: {state}; delete {self.folder} and run the command again")
        ids, table, names = (self.folder / file["name"] for file in entry["files"])
        return Split(
            name=name,
            folder=self.folder,
            ids=map_file(ids, self.manifest["dtype"]),
            table=map_file(table, "int64").reshape(-1, 3),
            names=map_file(names, "uint8"),
            end=self.manifest["end"],
            fingerprint=entry["files"][0]["sha256"],
            characters=entry["characters"],
        )


def load(folder: Path, *, tokenizer: str | None = None) -> Shards:
    """Open a folder of shards; `tokenizer` is the fingerprint it must have been made with."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise UserError(f"{folder}: holds no token shards (no manifest.json); write them with the shards stage first")
    manifest = read_json(path)
    if manifest.get("version") != VERSION:
        raise UserError(f"{path}: version {manifest.get('version')} is not {VERSION}; delete {folder} and run again")
    if tokenizer is not None and manifest["tokenizer"] != tokenizer:
        raise UserError(
            f"{folder}: made with another tokenizer ({manifest['tokenizer'][:12]}, wanted {tokenizer[:12]}); "
            "delete the folder to make it again, or use the tokenizer it was made with"
        )
    return Shards(folder, manifest)


def map_file(path: Path, dtype: str) -> NDArray[Any]:
    """A file of numbers as an array that is read when it is looked at."""
    kind = np.dtype(dtype).newbyteorder("<")
    if path.stat().st_size == 0:  # mmap refuses an empty file
        return np.empty(0, dtype=kind)
    return np.memmap(path, dtype=kind, mode="r")
