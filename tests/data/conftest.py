"""Small corpora and shards for the tests of data/."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.data import tokenize
from hornbook.data.shards import Shards

Texts = dict[str, str]


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
