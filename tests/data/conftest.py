"""Small corpora and shards for the tests of data/."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.data import tokenize
from hornbook.data.shards import Shards

Texts = dict[str, str]
MARKS = ("<pad>", "<mask>", *(f"<extra_id_{number}>" for number in range(64)))


class ByteTokenizer:
    """The smallest tokenizer shards can be made with: 256 bytes and one end id; a larger `vocab` makes ids wider."""

    end = 256

    def __init__(self, vocab: int = 257) -> None:
        self.vocab = vocab
        self.fingerprint = f"{vocab:064x}"

    def encode_batch(self, texts: list[str]) -> list[list[int]]:
        return [list(text.encode()) for text in texts]


def corpus_folder(folder: Path, train: Texts, validation: Texts, *, per_group: int = 3) -> Path:
    """A corpus folder as the corpus stage leaves it (name -> text), with small row groups."""
    folder.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("source", pa.string())])
    for split, texts in (("train", train), ("validation", validation)):
        columns = {"id": list(texts), "text": list(texts.values()), "source": ["s"] * len(texts)}
        pq.write_table(pa.table(columns, schema=schema), folder / f"{split}-00000.parquet", row_group_size=per_group)
    return folder


class MarkedTokenizer(ByteTokenizer):
    """Bytes, and every mark that an objective may ask for."""

    def __init__(self, marks: tuple[str, ...] = MARKS) -> None:
        super().__init__(257 + len(marks))
        self.special = {"<|endoftext|>": 256} | {mark: 257 + number for number, mark in enumerate(marks)}

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        return bytes(id_ for id_ in ids if id_ < 256)


def random_shards(folder: Path, documents: int, length: int, tokenizer: MarkedTokenizer) -> Shards:
    """Shards of documents of `length` random bytes each, without going by way of text."""
    rng = np.random.default_rng(0)
    ids = rng.integers(97, 123, (documents, length + 1), dtype=np.uint16)
    ids[:, -1] = tokenizer.end
    table = np.arange(documents + 1)[:, None] * np.array([length + 1, 1, length])
    folder.mkdir(parents=True)
    for name, array in (("ids", ids), ("documents", table.astype("<i8")), ("names", np.full(documents, 100, "u1"))):
        array.tofile(folder / f"train.{name}")
    files = [{"name": f.name, "bytes": f.stat().st_size, "sha256": "0" * 64} for f in (
        folder / "train.ids", folder / "train.documents", folder / "train.names"
    )]  # fmt: skip
    split = {"tokens": ids.size, "documents": documents, "bytes": 1, "characters": 1, "files": files}
    manifest = {"version": 1, "dtype": "uint16", "end": tokenizer.end, "splits": {"train": split}}
    return Shards(folder, {**manifest, "vocab": tokenizer.vocab, "tokenizer": tokenizer.fingerprint})


@pytest.fixture
def marked() -> MarkedTokenizer:
    return MarkedTokenizer()


@pytest.fixture
def make_random_shards(tmp_path: Path, marked: MarkedTokenizer) -> Callable[..., Shards]:
    """`make_random_shards(documents, length)`: a lot of tokens at once, for statistics."""
    return lambda documents, length: random_shards(tmp_path / "random", documents, length, marked)


@pytest.fixture
def byte_tokenizer() -> type[ByteTokenizer]:
    return ByteTokenizer


@pytest.fixture
def write_corpus() -> Callable[..., Path]:
    return corpus_folder


@pytest.fixture
def make_shards(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Shards]:
    """Shards of the given texts (name -> text), each time in a new folder."""

    def make(train: Texts, validation: Texts | None = None) -> Shards:
        folder = tmp_path_factory.mktemp("shards")
        held_out = {"held out": "some held-out text"} if validation is None else validation
        corpus = corpus_folder(folder / "corpus", train, held_out)
        return tokenize.write(corpus, folder / "shards", ByteTokenizer(), processes=1)

    return make
